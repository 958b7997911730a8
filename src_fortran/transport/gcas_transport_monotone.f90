!> The monotone mode: the linear scheme's fluxes, corrected so that no cell gets a value outside its neighbourhood's range.
!>
!> Flux-corrected transport (Zalesak 1979). The low-order solution moves whole upwind cells, first along longitude, then
!> along latitude: a mean of neighbours. The differences of the linear fluxes from it are scaled wall by wall until every
!> cell stays between the extremes of itself and its four neighbours (after the low-order step, and before it where no
!> Courant number exceeds one). Mass is conserved as in the linear mode.
module gcas_transport_monotone
    use gcas_kinds, only: dp, sp
    use gcas_transport_row, only: row_stencil
    use gcas_transport_stencil, only: level_stencil
    implicit none (type, external)
    private

    public :: monotone_step, monotone_columns

    !> One level, one block of tracers.
    interface monotone_step
        module procedure monotone_step_double, monotone_step_single
    end interface monotone_step

    !> Vertical advection of one row, one block of tracers.
    interface monotone_columns
        module procedure monotone_columns_double, monotone_columns_single
    end interface monotone_columns

contains

    !> Double precision.
    subroutine monotone_step_double(s, q)
        integer, parameter :: rk = dp
        include 'monotone_step.inc'
    end subroutine monotone_step_double

    !> Single precision.
    subroutine monotone_step_single(s, q)
        integer, parameter :: rk = sp
        include 'monotone_step.inc'
    end subroutine monotone_step_single

    !> Double precision.
    subroutine monotone_columns_double(r, q)
        integer, parameter :: rk = dp
        include 'monotone_columns.inc'
    end subroutine monotone_columns_double

    !> Single precision.
    subroutine monotone_columns_single(r, q)
        integer, parameter :: rk = sp
        include 'monotone_columns.inc'
    end subroutine monotone_columns_single
end module gcas_transport_monotone
