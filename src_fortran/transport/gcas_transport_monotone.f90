!> The monotone mode: the linear scheme's fluxes, corrected so that no cell gets a value outside its neighbourhood's range.
!>
!> Flux-corrected transport (Zalesak 1979). The low-order solution moves whole upwind cells, first along longitude, then
!> along latitude: a mean of neighbours. The differences of the linear fluxes from it are scaled wall by wall until every
!> cell stays between the extremes of itself and its four neighbours (after the low-order step, and before it where no
!> Courant number exceeds one). Mass is conserved as in the linear mode.
!>
!> One body each, compiled once per narrow block width: where few tracers stand side by side loops of unknown length cost most.
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
        type(level_stencil), intent(in) :: s
        real(dp), intent(inout) :: q(:, :, :) !! (block, n_lon, n_lat) [mixing ratio]

        select case (size(q, 1))
        case (1)
            call step_double_1(s, q)
        case (2)
            call step_double_2(s, q)
        case (4)
            call step_double_4(s, q)
        case (8)
            call step_double_8(s, q)
        case default
            call step_double_wide(s, size(q, 1), q)
        end select
    end subroutine monotone_step_double

    !> Single precision.
    subroutine monotone_step_single(s, q)
        type(level_stencil), intent(in) :: s
        real(sp), intent(inout) :: q(:, :, :) !! (block, n_lon, n_lat) [mixing ratio]

        select case (size(q, 1))
        case (1)
            call step_single_1(s, q)
        case (2)
            call step_single_2(s, q)
        case (4)
            call step_single_4(s, q)
        case (8)
            call step_single_8(s, q)
        case default
            call step_single_wide(s, size(q, 1), q)
        end select
    end subroutine monotone_step_single

    !> Double precision.
    subroutine monotone_columns_double(r, q)
        type(row_stencil), intent(in) :: r
        real(dp), intent(inout) :: q(:, :, :) !! of one row (block, n_lon, n_lev) [mixing ratio]

        select case (size(q, 1))
        case (1)
            call columns_double_1(r, q)
        case (2)
            call columns_double_2(r, q)
        case (4)
            call columns_double_4(r, q)
        case (8)
            call columns_double_8(r, q)
        case default
            call columns_double_wide(r, size(q, 1), q)
        end select
    end subroutine monotone_columns_double

    !> Single precision.
    subroutine monotone_columns_single(r, q)
        type(row_stencil), intent(in) :: r
        real(sp), intent(inout) :: q(:, :, :) !! of one row (block, n_lon, n_lev) [mixing ratio]

        select case (size(q, 1))
        case (1)
            call columns_single_1(r, q)
        case (2)
            call columns_single_2(r, q)
        case (4)
            call columns_single_4(r, q)
        case (8)
            call columns_single_8(r, q)
        case default
            call columns_single_wide(r, size(q, 1), q)
        end select
    end subroutine monotone_columns_single

    subroutine step_double_1(s, q)
        integer, parameter :: w = 1, rk = dp
        include 'monotone_step.inc'
    end subroutine step_double_1

    subroutine step_double_2(s, q)
        integer, parameter :: w = 2, rk = dp
        include 'monotone_step.inc'
    end subroutine step_double_2

    subroutine step_double_4(s, q)
        integer, parameter :: w = 4, rk = dp
        include 'monotone_step.inc'
    end subroutine step_double_4

    subroutine step_double_8(s, q)
        integer, parameter :: w = 8, rk = dp
        include 'monotone_step.inc'
    end subroutine step_double_8

    subroutine step_double_wide(s, w, q)
        integer, parameter :: rk = dp
        integer, intent(in) :: w
        include 'monotone_step.inc'
    end subroutine step_double_wide

    subroutine step_single_1(s, q)
        integer, parameter :: w = 1, rk = sp
        include 'monotone_step.inc'
    end subroutine step_single_1

    subroutine step_single_2(s, q)
        integer, parameter :: w = 2, rk = sp
        include 'monotone_step.inc'
    end subroutine step_single_2

    subroutine step_single_4(s, q)
        integer, parameter :: w = 4, rk = sp
        include 'monotone_step.inc'
    end subroutine step_single_4

    subroutine step_single_8(s, q)
        integer, parameter :: w = 8, rk = sp
        include 'monotone_step.inc'
    end subroutine step_single_8

    subroutine step_single_wide(s, w, q)
        integer, parameter :: rk = sp
        integer, intent(in) :: w
        include 'monotone_step.inc'
    end subroutine step_single_wide

    subroutine columns_double_1(r, q)
        integer, parameter :: w = 1, rk = dp
        include 'monotone_columns.inc'
    end subroutine columns_double_1

    subroutine columns_double_2(r, q)
        integer, parameter :: w = 2, rk = dp
        include 'monotone_columns.inc'
    end subroutine columns_double_2

    subroutine columns_double_4(r, q)
        integer, parameter :: w = 4, rk = dp
        include 'monotone_columns.inc'
    end subroutine columns_double_4

    subroutine columns_double_8(r, q)
        integer, parameter :: w = 8, rk = dp
        include 'monotone_columns.inc'
    end subroutine columns_double_8

    subroutine columns_double_wide(r, w, q)
        integer, parameter :: rk = dp
        integer, intent(in) :: w
        include 'monotone_columns.inc'
    end subroutine columns_double_wide

    subroutine columns_single_1(r, q)
        integer, parameter :: w = 1, rk = sp
        include 'monotone_columns.inc'
    end subroutine columns_single_1

    subroutine columns_single_2(r, q)
        integer, parameter :: w = 2, rk = sp
        include 'monotone_columns.inc'
    end subroutine columns_single_2

    subroutine columns_single_4(r, q)
        integer, parameter :: w = 4, rk = sp
        include 'monotone_columns.inc'
    end subroutine columns_single_4

    subroutine columns_single_8(r, q)
        integer, parameter :: w = 8, rk = sp
        include 'monotone_columns.inc'
    end subroutine columns_single_8

    subroutine columns_single_wide(r, w, q)
        integer, parameter :: rk = sp
        integer, intent(in) :: w
        include 'monotone_columns.inc'
    end subroutine columns_single_wide
end module gcas_transport_monotone
