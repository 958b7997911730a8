!> Horizontal advection of all tracers on all levels: threads share out the levels, each level is computed by one thread
!> from one stencil, so results do not depend on the number of threads.
module gcas_transport_horizontal
    use gcas_kinds, only: dp, sp
    use gcas_status, only: status_cfl, status_ok
    use gcas_transport_alignment, only: first_aligned, line_bytes
    use gcas_transport_linear, only: linear_step, linear_work_size
    use gcas_transport_monotone, only: monotone_step
    use gcas_transport_stencil, only: allocate_stencil, build_stencil, level_stencil, substeps_needed
    use omp_lib, only: omp_get_thread_num
    implicit none (type, external)
    private

    public :: advect_horizontal

    real(dp), parameter :: courant_limit = 0.95_dp !! largest meridional Courant number of a substep [1]
    integer, parameter :: most_substeps = 20       !! more than this is an explosion, not weather [1]

    !> Carry all tracers by given amounts of air; `mass` follows. Tracers of another precision may be carried along (linear mode only).
    interface advect_horizontal
        module procedure advect_horizontal_double, advect_horizontal_single
    end interface advect_horizontal

contains

    !> Double precision.
    subroutine advect_horizontal_double(n_threads, monotone, edge_weights, smoothing, zonal, meridional, mass, q, along, &
                                        status, message)
        integer, parameter :: rk = dp
        include 'horizontal_levels.inc'
    end subroutine advect_horizontal_double

    !> Single precision tracers; geometry and air stay double.
    subroutine advect_horizontal_single(n_threads, monotone, edge_weights, smoothing, zonal, meridional, mass, q, along, &
                                        status, message)
        integer, parameter :: rk = sp
        include 'horizontal_levels.inc'
    end subroutine advect_horizontal_single
end module gcas_transport_horizontal
