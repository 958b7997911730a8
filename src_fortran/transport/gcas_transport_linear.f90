!> The linear horizontal step for each block width and precision: one body (`horizontal_linear.inc`), compiled once per
!> instance, because the compiler makes far better loops when it knows how many tracers stand side by side.
module gcas_transport_linear
    use gcas_kinds, only: dp, sp
    use gcas_transport_alignment, only: line_bytes, prefetch
    use gcas_transport_stencil, only: level_stencil
    implicit none (type, external)
    private

    public :: linear_step, linear_work_size

    integer, parameter :: group = 4         !! rows whose meridional fluxes are computed together
    integer, parameter :: ring = group + 5  !! rows that these fluxes need

    !> One level, one block of tracers, in either precision.
    interface linear_step
        module procedure linear_step_double, linear_step_single
    end interface linear_step

contains

    !> Elements of work space that one level needs.
    pure function linear_work_size(width, n_lon) result(elements)
        integer, intent(in) :: width, n_lon
        integer :: elements
        integer :: p(6)

        p = places(width, n_lon)
        elements = p(6) - 1
    end function linear_work_size

    !> Where the kernels' arrays start in the work space, each on a cache line, and the first element behind them.
    pure function places(width, n_lon) result(p)
        integer, intent(in) :: width, n_lon
        integer :: p(6)
        integer :: rows(5), n

        rows = [ring, ring, group, group, 2]
        p(1) = 1
        do n = 1, 5
            p(n + 1) = p(n) + (width*(n_lon + 6)*rows(n) + line_bytes - 1)/line_bytes*line_bytes
        end do
    end function places

    !> One level, one block of tracers.
    subroutine linear_step_double(width, s, n_lon, n_lat, q, work)
        integer, intent(in) :: width, n_lon, n_lat
        type(level_stencil), intent(in) :: s
        real(dp), intent(inout), contiguous :: q(:, :, :) !! (width, n_lon, n_lat) [mixing ratio]
        real(dp), intent(inout) :: work(*)                !! from a cache line on, `linear_work_size` elements
        integer :: p(6)

        p = places(width, n_lon)
        select case (width)
        case (1)
            call double_1(s, s%along, s%across, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (2)
            call double_2(s, s%along, s%across, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (4)
            call double_4(s, s%along, s%across, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (8)
            call double_8(s, s%along, s%across, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (16)
            call double_16(s, s%along, s%across, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (20)
            call double_20(s, s%along, s%across, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (24)
            call double_24(s, s%along, s%across, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (32)
            call double_32(s, s%along, s%across, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        end select
    end subroutine linear_step_double

    !> One level, one block of tracers in single precision.
    subroutine linear_step_single(width, s, n_lon, n_lat, q, work)
        integer, intent(in) :: width, n_lon, n_lat
        type(level_stencil), intent(in) :: s
        real(sp), intent(inout), contiguous :: q(:, :, :) !! (width, n_lon, n_lat) [mixing ratio]
        real(sp), intent(inout) :: work(*)                !! from a cache line on, `linear_work_size` elements
        integer :: p(6)

        p = places(width, n_lon)
        select case (width)
        case (1)
            call single_1(s, s%along_single, s%across_single, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (2)
            call single_2(s, s%along_single, s%across_single, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (4)
            call single_4(s, s%along_single, s%across_single, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (8)
            call single_8(s, s%along_single, s%across_single, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (16)
            call single_16(s, s%along_single, s%across_single, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        case (32)
            call single_32(s, s%along_single, s%across_single, n_lon, n_lat, q, &
                           work(p(1)), work(p(2)), work(p(3)), work(p(4)), work(p(5)))
        end select
    end subroutine linear_step_single

    subroutine double_1(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 1, rk = dp
        include 'horizontal_linear.inc'
    end subroutine double_1

    subroutine double_2(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 2, rk = dp
        include 'horizontal_linear.inc'
    end subroutine double_2

    subroutine double_4(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 4, rk = dp
        include 'horizontal_linear.inc'
    end subroutine double_4

    subroutine double_8(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 8, rk = dp
        include 'horizontal_linear.inc'
    end subroutine double_8

    subroutine double_16(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 16, rk = dp
        include 'horizontal_linear.inc'
    end subroutine double_16

    subroutine double_20(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 20, rk = dp
        include 'horizontal_linear.inc'
    end subroutine double_20

    subroutine double_24(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 24, rk = dp
        include 'horizontal_linear.inc'
    end subroutine double_24

    subroutine double_32(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 32, rk = dp
        include 'horizontal_linear.inc'
    end subroutine double_32

    subroutine single_1(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 1, rk = sp
        include 'horizontal_linear.inc'
    end subroutine single_1

    subroutine single_2(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 2, rk = sp
        include 'horizontal_linear.inc'
    end subroutine single_2

    subroutine single_4(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 4, rk = sp
        include 'horizontal_linear.inc'
    end subroutine single_4

    subroutine single_8(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 8, rk = sp
        include 'horizontal_linear.inc'
    end subroutine single_8

    subroutine single_16(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 16, rk = sp
        include 'horizontal_linear.inc'
    end subroutine single_16

    subroutine single_32(s, along, across, n_lon, n_lat, q, old, half, row, brought, south)
        integer, parameter :: w = 32, rk = sp
        include 'horizontal_linear.inc'
    end subroutine single_32

end module gcas_transport_linear
