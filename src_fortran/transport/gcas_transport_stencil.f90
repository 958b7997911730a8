!> Everything about one level's horizontal step that does not depend on the tracer: computed once, used by all tracers.
!>
!> Lin & Rood (1996): q at the end × mass at the end = q × mass + F(q + ½ g(q)) + G(q + ½ f(q)); F and G are PPM fluxes
!> along longitude and latitude, f and g the changes of q that the same fluxes bring along one direction alone (Putman &
!> Lin 2007): with unlike inner and outer operators the scheme is unstable where both Courant numbers are large.
!> In unlimited form a flux is a weighted sum of a few neighbours; here are the weights. Courant numbers are fractions
!> of the upwind cell's mass.
module gcas_transport_stencil
    use gcas_kinds, only: dp, sp
    implicit none (type, external)
    private

    public :: level_stencil, allocate_stencil, build_stencil, substeps_needed

    type :: level_stencil
        integer :: n_lon = 0, n_lat = 0
        real(dp), allocatable :: mass(:, :)            !! mass at the start (n_lon, n_lat) [kg]
        real(dp), allocatable :: mass_end(:, :)        !! mass at the end; of a sector for caps (n_lon, n_lat) [kg]
        real(dp), allocatable :: zonal(:, :)           !! air through western walls (n_lon, n_lat) [kg]
        real(dp), allocatable :: meridional(:, :)      !! air through southern walls (n_lon, n_lat+1) [kg]
        real(dp), allocatable :: gain(:, :)            !! mass_end - mass, as the sum of fluxes (n_lon, n_lat) [kg]
        real(dp), allocatable :: inverse(:, :)         !! 1/mass_end (n_lon, n_lat) [kg-1]
        integer, allocatable :: upwind(:, :)           !! cell whose part crosses the western wall (n_lon, n_lat)
        integer, allocatable :: whole(:, :)            !! cells that cross it whole; sign of the wind (n_lon, n_lat)
        real(dp), allocatable :: along(:, :, :)        !! 1-7: air × weights around `upwind` [kg]; 8, 9: factors of q and of its gain
                                                       !! in q + ½ f(q) [1, kg-1]; 10, 11: gain, inverse (11, n_lon, n_lat)
        real(dp), allocatable :: across(:, :, :)       !! 1-6: air × weights of rows j-3 … j+2 at southern walls [kg]; 7, 8: factors
                                                       !! in q + ½ g(q) [1, kg-1] (8, n_lon, n_lat)
        logical :: narrow = .false.                    !! single-precision tracers: keep the two below
        real(sp), allocatable :: along_single(:, :, :), across_single(:, :, :) !! copies of `along` and `across`
        real(dp), allocatable :: part(:, :)            !! air of the upwind cell that crosses, signed (n_lon, n_lat) [kg]
        real(dp), allocatable :: along_gain(:, :)      !! what zonal fluxes alone bring (n_lon, n_lat) [kg]
        logical, allocatable :: far(:)                 !! any whole cells in this row (n_lat)
    end type level_stencil

    real(dp), parameter :: edge_1 = 37.0_dp/60.0_dp, edge_2 = -8.0_dp/60.0_dp, edge_3 = 1.0_dp/60.0_dp

contains

    !> Give the stencil of one level its arrays.
    subroutine allocate_stencil(n_lon, n_lat, narrow, s)
        integer, intent(in) :: n_lon, n_lat
        logical, intent(in) :: narrow           !! with weights for single-precision tracers
        type(level_stencil), intent(out) :: s

        s%n_lon = n_lon
        s%n_lat = n_lat
        allocate (s%mass(n_lon, n_lat), s%mass_end(n_lon, n_lat), s%zonal(n_lon, n_lat), s%meridional(n_lon, n_lat + 1))
        allocate (s%inverse(n_lon, n_lat), s%gain(n_lon, n_lat), s%part(n_lon, n_lat), &
                  s%along_gain(n_lon, n_lat))
        allocate (s%upwind(n_lon, n_lat), s%whole(n_lon, n_lat), s%far(n_lat))
        allocate (s%along(11, n_lon, n_lat), s%across(8, n_lon, n_lat))
        s%far = .false.
        s%across(:, :, [1, n_lat]) = 0.0_dp
        s%narrow = narrow
        if (narrow) allocate (s%along_single(11, n_lon, n_lat), s%across_single(8, n_lon, n_lat))
    end subroutine allocate_stencil

    !> Substeps that keep every meridional Courant number, and what leaves a cap, below one.
    pure function substeps_needed(mass, meridional, limit) result(substeps)
        real(dp), intent(in) :: mass(:, :)       !! (n_lon, n_lat) [kg]
        real(dp), intent(in) :: meridional(:, :) !! (n_lon, n_lat+1) [kg]
        real(dp), intent(in) :: limit            !! largest Courant number that is taken in one step [1]
        integer :: substeps                      !! [1]
        real(dp) :: largest, leaving
        integer :: n_lat, i, j

        n_lat = size(mass, 2)
        largest = 0.0_dp
        do j = 2, n_lat - 1
            do i = 1, size(mass, 1)
                leaving = max(meridional(i, j + 1), 0.0_dp) - min(meridional(i, j), 0.0_dp)
                largest = max(largest, leaving/mass(i, j))
            end do
        end do
        largest = max(largest, sum(max(meridional(:, 2), 0.0_dp))/sum(mass(:, 1)))
        largest = max(largest, -sum(min(meridional(:, n_lat), 0.0_dp))/sum(mass(:, n_lat)))
        substeps = huge(1)
        if (largest < 1.0e6_dp) substeps = max(1, ceiling(largest/limit))
    end function substeps_needed

    !> Fill the stencil from its mass and fluxes; returns .false. where the wind crosses the whole circle or empties a cell.
    subroutine build_stencil(edge_weights, smoothing, s, possible)
        real(dp), intent(in) :: edge_weights(:, :) !! of rows j-2 … j+1 at edge j (4, n_lat+1) [1]
        real(dp), intent(in) :: smoothing(:)       !! fourth-order zonal smoothing of each row in this step (n_lat) [1]
        type(level_stencil), intent(inout) :: s    !! mass, zonal, meridional in; the rest out
        logical, intent(out) :: possible
        real(dp) :: along(s%n_lon), across(s%n_lon)
        integer :: n_lon, n_lat, j

        n_lon = s%n_lon
        n_lat = s%n_lat
        possible = .true.
        do j = 2, n_lat - 1
            along(:n_lon - 1) = s%zonal(:n_lon - 1, j) - s%zonal(2:, j)
            along(n_lon) = s%zonal(n_lon, j) - s%zonal(1, j)
            across = s%meridional(:, j) - s%meridional(:, j + 1)
            s%along_gain(:, j) = along
            s%gain(:, j) = along + across
            s%mass_end(:, j) = s%mass(:, j) + s%gain(:, j)
            along = s%mass(:, j) + along
            across = s%mass(:, j) + across
            possible = possible .and. all(along > 0.0_dp) .and. all(across > 0.0_dp)
            s%inverse(:, j) = 1.0_dp/s%mass_end(:, j)
            s%along(9, :, j) = 0.5_dp/along
            s%along(8, :, j) = 0.5_dp + s%along(9, :, j)*s%mass(:, j)
            s%along(10, :, j) = s%gain(:, j)
            s%along(11, :, j) = s%inverse(:, j)
            s%across(8, :, j) = 0.5_dp/across
            s%across(7, :, j) = 0.5_dp + s%across(8, :, j)*s%mass(:, j)
            call zonal_weights(s, j, smoothing(j), possible)
            if (.not. possible) return
            if (s%narrow) s%along_single(:, :, j) = real(s%along(:, :, j), sp)
        end do
        s%gain(:, 1) = -sum(s%meridional(:, 2))/n_lon
        s%gain(:, n_lat) = sum(s%meridional(:, n_lat))/n_lon
        s%mass_end(:, 1) = sum(s%mass(:, 1))/n_lon + s%gain(:, 1)
        s%mass_end(:, n_lat) = sum(s%mass(:, n_lat))/n_lon + s%gain(:, n_lat)
        do j = 2, n_lat
            call outer_weights(s, j, edge_weights(:, j - 1:j + 1))
            if (s%narrow) s%across_single(:, :, j) = real(s%across(:, :, j), sp)
        end do
        possible = possible .and. all(s%mass_end > 0.0_dp)
        s%inverse(:, 1) = 1.0_dp/s%mass_end(:, 1)
        s%inverse(:, n_lat) = 1.0_dp/s%mass_end(:, n_lat)
    end subroutine build_stencil

    !> Zonal fluxes of one row.
    subroutine zonal_weights(s, j, smoothing, possible)
        type(level_stencil), intent(inout) :: s
        integer, intent(in) :: j
        real(dp), intent(in) :: smoothing !! fourth-order smoothing of the row in this step [1]
        logical, intent(inout) :: possible
        real(dp) :: rest
        integer :: n_lon, i, cell, whole, step, shift

        n_lon = s%n_lon
        s%far(j) = .false.
        do i = 1, n_lon
            rest = abs(s%zonal(i, j))
            step = merge(-1, 1, s%zonal(i, j) >= 0.0_dp)
            cell = merge(i - 1, i, s%zonal(i, j) >= 0.0_dp)
            if (cell < 1) cell = n_lon
            whole = 0
            do while (.not. rest <= s%mass(cell, j))
                rest = rest - s%mass(cell, j)
                cell = cell + step
                if (cell < 1) cell = n_lon
                if (cell > n_lon) cell = 1
                whole = whole + 1
                if (whole >= n_lon) then
                    possible = .false.
                    return
                end if
            end do
            s%upwind(i, j) = cell
            s%whole(i, j) = -step*whole
            s%part(i, j) = -step*rest
            if (whole > 0) s%far(j) = .true.
            s%along(1:7, i, j) = uniform_ppm(rest/s%mass(cell, j), -step)*(-step*rest)
            if (whole == 0 .and. smoothing > 0.0_dp) then
                ! Around the wall itself: cells i-2 … i+1, whichever of i-1 and i is upwind.
                shift = merge(1, 0, step < 0)
                s%along(2 + shift:5 + shift, i, j) = s%along(2 + shift:5 + shift, i, j) &
                                                           + (smoothing*s%mass(cell, j))*[-1.0_dp, 3.0_dp, -3.0_dp, 1.0_dp]
            end if
        end do
    end subroutine zonal_weights

    !> Weights around the upwind cell of the mean over the part `c` of it that crosses its wall: the parabola of Colella &
    !> Woodward (1984), eqs. 1.5-1.12, with the sixth-order edges of Colella & Sekora (2008), eq. 17, on equal cells.
    pure function uniform_ppm(c, direction) result(w)
        real(dp), intent(in) :: c        !! share of the cell that crosses [1]
        integer, intent(in) :: direction !! 1: through the cell's eastern wall, -1: through its western wall
        real(dp) :: w(7)
        real(dp) :: near, far

        near = (1.0_dp - c)**2
        far = -c*(1.0_dp - c)
        w(1) = edge_3*far
        w(2) = edge_2*far + edge_3*near
        w(3) = edge_1*far + edge_2*near
        w(5) = edge_2*far + edge_1*near
        w(6) = edge_3*far + edge_2*near
        w(7) = edge_3*near
        w(4) = 1.0_dp - ((w(1) + w(7)) + (w(2) + w(6)) + (w(3) + w(5)))
        if (direction < 0) w = w(7:1:-1)
    end function uniform_ppm

    !> Weights of rows j-3 … j+2 in the flux through the southern walls of row j; PPM with edges of the sphere.
    subroutine outer_weights(s, j, edges)
        type(level_stencil), intent(inout) :: s
        integer, intent(in) :: j
        real(dp), intent(in) :: edges(4, 3) !! edge weights at edges j-1, j, j+1 [1]
        real(dp) :: c, near, far, air, w(6), lane_south, lane_north
        integer :: i

        ! Along a meridian a cap is a cell of two sectors.
        lane_south = merge(2.0_dp, 1.0_dp, j == 2)
        lane_north = merge(2.0_dp, 1.0_dp, j == s%n_lat)
        do i = 1, s%n_lon
            air = s%meridional(i, j)
            w = 0.0_dp
            if (air >= 0.0_dp) then
                c = air/(s%mass(i, j - 1)*lane_south)
                near = (1.0_dp - c)**2
                far = -c*(1.0_dp - c)
                w(1:4) = far*edges(:, 1)
                w(2:5) = w(2:5) + near*edges(:, 2)
                w(3) = 1.0_dp - ((w(1) + w(5)) + (w(2) + w(4)))
            else
                c = -air/(s%mass(i, j)*lane_north)
                near = (1.0_dp - c)**2
                far = -c*(1.0_dp - c)
                w(3:6) = far*edges(:, 3)
                w(2:5) = w(2:5) + near*edges(:, 2)
                w(4) = 1.0_dp - ((w(2) + w(6)) + (w(3) + w(5)))
            end if
            s%across(1:6, i, j) = air*w
        end do
    end subroutine outer_weights
end module gcas_transport_stencil
