!> Everything about the columns of one row that does not depend on the tracer: computed once, used by all tracers.
module gcas_transport_row
    use gcas_kinds, only: dp, sp
    implicit none (type, external)
    private

    public :: row_stencil, allocate_row, continuity, vertical_weights, diffusion_factors, plume_shares, pack_weights

    type :: row_stencil
        real(dp), allocatable :: mass(:, :)       !! before the (sub)step (n_lon, n_lev) [kg]
        real(dp), allocatable :: mass_end(:, :)   !! after it (n_lon, n_lev) [kg]
        real(dp), allocatable :: downward(:, :)   !! air through upper interfaces (n_lon, n_lev+1) [kg]
        real(dp), allocatable :: edges(:, :, :)   !! PPM edge weights, layers k-2 … k+1 at interface k (n_lon, 4, n_lev+1) [1]
        real(dp), allocatable :: exchange(:, :)   !! air exchanged across upper interfaces (n_lon, n_lev+1) [kg]
        real(dp), allocatable :: pivot(:, :)      !! inverse pivots of the implicit mixing (n_lon, n_lev) [kg-1]
        real(dp), allocatable :: back(:, :)       !! back substitution factors (n_lon, n_lev) [1]
        real(dp), allocatable :: updraft(:, :)    !! air carried up through upper interfaces (n_lon, n_lev+1) [kg]
        real(dp), allocatable :: share(:, :)      !! of the plume in a layer that came from below (n_lon, n_lev) [1]
        real(dp), allocatable :: inverse(:, :)    !! 1/mass_end (n_lon, n_lev) [kg-1]
        real(dp), allocatable :: gain(:, :)       !! mass_end - mass, as the sum of fluxes (n_lon, n_lev) [kg]
        real(dp), allocatable :: weights(:, :, :) !! what the kernels read (n_weights, n_lon, n_lev+1): 1-6 air × weights of layers
                                                  !! k-3 … k+2 at interface k [kg]; 7 gain, 8 inverse, 9 pivot, 10 exchange, 11 back,
                                                  !! 12 share, 13 updraft
        logical :: narrow = .false.               !! single-precision tracers: keep a copy of `weights`
        real(sp), allocatable :: weights_single(:, :, :)
        integer :: mixing_top = 0                 !! first layer below an interface with exchange; n_lev+1: none
        integer :: updraft_top = 0                !! first layer below an interface with updraft; n_lev+1: none
        integer :: updraft_steps = 1              !! substeps of convection
    end type row_stencil

    integer, parameter :: n_weights = 13

contains

    !> Give a row its arrays.
    subroutine allocate_row(n_lon, n_lev, narrow, r)
        integer, intent(in) :: n_lon, n_lev
        logical, intent(in) :: narrow           !! with weights for single-precision tracers
        type(row_stencil), intent(out) :: r

        allocate (r%mass(n_lon, n_lev), r%mass_end(n_lon, n_lev), r%downward(n_lon, n_lev + 1))
        allocate (r%weights(n_weights, n_lon, n_lev + 1), r%edges(n_lon, 4, n_lev + 1))
        allocate (r%exchange(n_lon, n_lev + 1), r%pivot(n_lon, n_lev), r%back(n_lon, n_lev))
        allocate (r%updraft(n_lon, n_lev + 1), r%share(n_lon, n_lev), r%inverse(n_lon, n_lev), r%gain(n_lon, n_lev))
        r%weights = 0.0_dp
        r%narrow = narrow
        if (narrow) allocate (r%weights_single(n_weights, n_lon, n_lev + 1))
    end subroutine allocate_row

    !> Air through interfaces, downward positive, from continuity; and the substeps that keep Courant numbers below one.
    pure subroutine continuity(mass, mass_end, downward, substeps)
        real(dp), intent(in) :: mass(:, :)      !! before (n_lon, n_lev) [kg]
        real(dp), intent(in) :: mass_end(:, :)  !! after (n_lon, n_lev) [kg]
        real(dp), intent(out) :: downward(:, :) !! (n_lon, n_lev+1) [kg]
        integer, intent(out) :: substeps        !! [1]
        real(dp) :: largest
        integer :: k, n_lev

        n_lev = size(mass, 2)
        downward(:, 1) = 0.0_dp
        largest = 0.0_dp
        do k = 1, n_lev
            downward(:, k + 1) = downward(:, k) + (mass(:, k) - mass_end(:, k))
            if (k == n_lev) downward(:, k + 1) = 0.0_dp
            largest = max(largest, maxval((max(downward(:, k + 1), 0.0_dp) - min(downward(:, k), 0.0_dp)) &
                                          /min(mass(:, k), mass_end(:, k))))
        end do
        substeps = max(1, ceiling(min(largest, 1.0e6_dp)))
    end subroutine continuity

    !> Weights of the unlimited PPM flux through every interface; Colella & Woodward (1984), eqs. 1.6-1.12.
    pure subroutine vertical_weights(r)
        type(row_stencil), intent(inout) :: r !! mass, downward in; edges, weights 1-6 out
        real(dp) :: c, near, far, air, w(6)
        integer :: i, k, n_lev

        n_lev = size(r%mass, 2)
        call edge_weights(r%mass, r%edges)
        do k = 2, n_lev
            do i = 1, size(r%mass, 1)
                air = r%downward(i, k)
                w = 0.0_dp
                if (air >= 0.0_dp) then
                    c = air/r%mass(i, k - 1)
                    near = (1.0_dp - c)**2
                    far = -c*(1.0_dp - c)
                    w(1) = far*r%edges(i, 1, k - 1)
                    w(2) = far*r%edges(i, 2, k - 1) + near*r%edges(i, 1, k)
                    w(4) = far*r%edges(i, 4, k - 1) + near*r%edges(i, 3, k)
                    w(5) = near*r%edges(i, 4, k)
                    w(3) = 1.0_dp - ((w(1) + w(5)) + (w(2) + w(4)))
                else
                    c = -air/r%mass(i, k)
                    near = (1.0_dp - c)**2
                    far = -c*(1.0_dp - c)
                    w(2) = near*r%edges(i, 1, k)
                    w(3) = near*r%edges(i, 2, k) + far*r%edges(i, 1, k + 1)
                    w(5) = near*r%edges(i, 4, k) + far*r%edges(i, 3, k + 1)
                    w(6) = far*r%edges(i, 4, k + 1)
                    w(4) = 1.0_dp - ((w(2) + w(6)) + (w(3) + w(5)))
                end if
                r%weights(:6, i, k) = air*w
            end do
        end do
    end subroutine vertical_weights

    !> Edge values from the four nearest layers of unequal mass, eq. 1.6 with the unlimited slopes of eq. 1.7; from the two
    !> nearest at the second and last interface; the layer's own mean at top and ground.
    pure subroutine edge_weights(mass, edges)
        real(dp), intent(in) :: mass(:, :)      !! (n_lon, n_lev) [kg]
        real(dp), intent(out) :: edges(:, :, :) !! (n_lon, 4, n_lev+1) [1]
        real(dp) :: m1, m2, m3, m4, upper, lower, slope_2, slope_3, all_four, rise, from_2, from_3
        integer :: i, k, n_lev

        n_lev = size(mass, 2)
        edges(:, :, 1) = 0.0_dp
        edges(:, 3, 1) = 1.0_dp
        edges(:, :, n_lev + 1) = 0.0_dp
        edges(:, 2, n_lev + 1) = 1.0_dp
        do k = 2, n_lev
            if (k == 2 .or. k == n_lev) then
                edges(:, 1, k) = 0.0_dp
                edges(:, 4, k) = 0.0_dp
                edges(:, 3, k) = mass(:, k - 1)/(mass(:, k - 1) + mass(:, k))
                edges(:, 2, k) = 1.0_dp - edges(:, 3, k)
                cycle
            end if
            do i = 1, size(mass, 1)
                m1 = mass(i, k - 2)
                m2 = mass(i, k - 1)
                m3 = mass(i, k)
                m4 = mass(i, k + 1)
                upper = (m1 + m2)/(2.0_dp*m2 + m3)
                lower = (m3 + m4)/(2.0_dp*m3 + m2)
                all_four = 1.0_dp/((m1 + m2) + (m3 + m4))
                from_2 = all_four*m3*lower*m2/(m1 + m2 + m3)       ! what multiplies the slope in layer k-1
                from_3 = all_four*m2*upper*m3/(m2 + m3 + m4)       ! and in layer k
                rise = m2/(m2 + m3) + all_four*2.0_dp*m2*m3/(m2 + m3)*(upper - lower)
                slope_2 = from_2*(m2 + 2.0_dp*m3)/(m1 + m2)        ! times q(k-1) - q(k-2)
                slope_3 = from_3*(2.0_dp*m3 + m2)/(m3 + m4)        ! times q(k+1) - q(k)
                rise = rise + from_2*(2.0_dp*m1 + m2)/(m2 + m3) - from_3*(m3 + 2.0_dp*m4)/(m2 + m3)
                edges(i, 1, k) = -slope_2
                edges(i, 2, k) = 1.0_dp + slope_2 - rise
                edges(i, 3, k) = rise + slope_3
                edges(i, 4, k) = -slope_3
            end do
        end do
    end subroutine edge_weights

    !> Factors of the implicit mixing: (mass + e above + e below) q(k) - e above q(k-1) - e below q(k+1) = amount.
    pure subroutine diffusion_factors(r)
        type(row_stencil), intent(inout) :: r !! mass_end, inverse, exchange in; pivot, back, mixing_top out
        integer :: i, k, n_lev

        n_lev = size(r%mass_end, 2)
        r%mixing_top = n_lev + 1
        do k = n_lev, 2, -1
            if (any(r%exchange(:, k) > 0.0_dp)) r%mixing_top = k
        end do
        r%exchange(:, 1) = 0.0_dp
        r%exchange(:, n_lev + 1) = 0.0_dp
        r%pivot = r%inverse
        r%back = 0.0_dp
        do k = max(r%mixing_top - 1, 1), n_lev
            do i = 1, size(r%mass_end, 1)
                r%pivot(i, k) = r%mass_end(i, k) + r%exchange(i, k) + r%exchange(i, k + 1)
                if (k > 1) r%pivot(i, k) = r%pivot(i, k) - r%exchange(i, k)*r%back(i, k - 1)
                r%pivot(i, k) = 1.0_dp/r%pivot(i, k)
                r%back(i, k) = r%exchange(i, k + 1)*r%pivot(i, k)
            end do
        end do
    end subroutine diffusion_factors

    !> Side by side what the kernels read together, in the precision of the tracers.
    pure subroutine pack_weights(mixes, r)
        logical, intent(in) :: mixes           !! the factors of mixing and convection too
        type(row_stencil), intent(inout) :: r  !! weights 1-6 and the rest in; weights out
        integer :: i, k, n_lev

        n_lev = size(r%mass, 2)
        do k = 1, n_lev
            do i = 1, size(r%mass, 1)
                r%weights(7, i, k) = r%gain(i, k)
                r%weights(8, i, k) = r%inverse(i, k)
            end do
            if (.not. mixes) cycle
            do i = 1, size(r%mass, 1)
                r%weights(9, i, k) = r%pivot(i, k)
                r%weights(10, i, k) = r%exchange(i, k)
                r%weights(11, i, k) = r%back(i, k)
                r%weights(12, i, k) = r%share(i, k)
                r%weights(13, i, k) = r%updraft(i, k)
            end do
        end do
        if (r%narrow) r%weights_single = real(r%weights, sp)
    end subroutine pack_weights

    !> Entraining plume: where it grows upward it takes in air of the layer, where it shrinks it leaves some.
    pure subroutine plume_shares(r)
        type(row_stencil), intent(inout) :: r !! mass_end, updraft in; share, updraft_top, updraft_steps out
        real(dp) :: inflow, largest
        integer :: i, k, n_lev

        n_lev = size(r%mass_end, 2)
        r%updraft(:, 1) = 0.0_dp
        r%updraft(:, n_lev + 1) = 0.0_dp
        r%updraft_top = n_lev + 1
        do k = n_lev, 2, -1
            if (any(r%updraft(:, k) > 0.0_dp)) r%updraft_top = k
        end do
        r%updraft_steps = 1
        r%share = 0.0_dp
        if (r%updraft_top > n_lev) return
        largest = 0.0_dp
        do k = r%updraft_top - 1, n_lev
            do i = 1, size(r%mass_end, 1)
                inflow = max(r%updraft(i, k), r%updraft(i, k + 1))
                r%share(i, k) = 0.0_dp
                if (inflow > 0.0_dp) r%share(i, k) = r%updraft(i, k + 1)/inflow
                largest = max(largest, inflow*r%inverse(i, k))
            end do
        end do
        r%updraft_steps = max(1, ceiling(min(largest, 1.0e6_dp)))
        r%updraft = r%updraft/r%updraft_steps
    end subroutine plume_shares
end module gcas_transport_row
