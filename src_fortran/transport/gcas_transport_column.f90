!> What happens in columns: vertical advection, emission, boundary-layer and free mixing, convection, for all tracers.
!>
!> Threads share out the rows; what does not depend on the tracer is computed once per row and used by all blocks.
module gcas_transport_column
    use gcas_kinds, only: dp, sp
    use gcas_status, only: status_cfl, status_ok
    use gcas_transport_alignment, only: first_aligned, line_bytes
    use gcas_transport_column_kernels, only: column_work_size, linear_columns
    use gcas_transport_monotone, only: monotone_columns
    use gcas_transport_row, only: allocate_row, continuity, diffusion_factors, pack_weights, plume_shares, row_stencil, &
        vertical_weights
    use omp_lib, only: omp_get_thread_num
    implicit none (type, external)
    private

    public :: column_step

    integer, parameter :: most_substeps = 20 !! more than this is an explosion, not weather [1]

    !> Vertical advection to `mass_end`, emission, mixing and convection of all tracers. Tracers of another precision may be carried along
    !> (linear mode only).
    interface column_step
        module procedure column_step_double, column_step_single
    end interface column_step

    !> Make a polar row uniform; keeps equal values to the bit.
    interface mix_cap
        module procedure mix_cap_double, mix_cap_single
    end interface mix_cap

contains

    !> Double precision.
    subroutine column_step_double(n_threads, monotone, mass, mass_end, exchange, updraft, basis, coefficients, q, &
                                  coefficients_along, along, status, message)
        integer, parameter :: rk = dp
        include 'column_rows.inc'
    end subroutine column_step_double

    !> Single precision tracers; geometry and air stay double.
    subroutine column_step_single(n_threads, monotone, mass, mass_end, exchange, updraft, basis, coefficients, q, &
                                  coefficients_along, along, status, message)
        integer, parameter :: rk = sp
        include 'column_rows.inc'
    end subroutine column_step_single

    !> Double precision.
    subroutine mix_cap_double(cap)
        integer, parameter :: rk = dp
        include 'mix_cap.inc'
    end subroutine mix_cap_double

    !> Single precision.
    subroutine mix_cap_single(cap)
        integer, parameter :: rk = sp
        include 'mix_cap.inc'
    end subroutine mix_cap_single
end module gcas_transport_column
