!> What happens in columns: vertical advection, emission, boundary-layer and free mixing, convection, for all tracers.
!>
!> Threads share out the rows; what does not depend on the tracer is computed once per row and used by all blocks.
module gcas_transport_column
    use gcas_kinds, only: dp, sp
    use gcas_status, only: status_cfl, status_ok
    implicit none (type, external)
    private

    public :: column_step

    integer, parameter :: most_substeps = 20       !! more than this is an explosion, not weather [1]

    !> Vertical advection to `mass_end`, emission, mixing and convection of all tracers.
    interface column_step
        module procedure column_step_double, column_step_single
    end interface column_step

contains

    !> Double precision.
    subroutine column_step_double(n_threads, mass, mass_end, exchange, updraft, basis, coefficients, q, status, message)
        integer, parameter :: rk = dp
        include 'column_rows.inc'
    end subroutine column_step_double

    !> Single precision tracers; geometry and air stay double.
    subroutine column_step_single(n_threads, mass, mass_end, exchange, updraft, basis, coefficients, q, status, message)
        integer, parameter :: rk = sp
        include 'column_rows.inc'
    end subroutine column_step_single

    !> Air through the upper interface of each layer, downward positive, from continuity; and the substeps it needs.
    pure subroutine continuity(mass, mass_end, downward, substeps)
        real(dp), intent(in) :: mass(:, :)      !! before (n_lon, n_lev) [kg]
        real(dp), intent(in) :: mass_end(:, :)  !! after (n_lon, n_lev) [kg]
        real(dp), intent(out) :: downward(:, :) !! (n_lon, n_lev+1) [kg]
        integer, intent(out) :: substeps(:)     !! (n_lon) [1]
        real(dp) :: largest(size(mass, 1))
        integer :: k, n_lev

        n_lev = size(mass, 2)
        downward(:, 1) = 0.0_dp
        largest = 0.0_dp
        do k = 1, n_lev
            downward(:, k + 1) = downward(:, k) + (mass(:, k) - mass_end(:, k))
            if (k == n_lev) downward(:, k + 1) = 0.0_dp
            largest = max(largest, (max(downward(:, k + 1), 0.0_dp) - min(downward(:, k), 0.0_dp)) &
                                   /min(mass(:, k), mass_end(:, k)))
        end do
        substeps = max(1, ceiling(min(largest, 1.0e6_dp)))
    end subroutine continuity
end module gcas_transport_column
