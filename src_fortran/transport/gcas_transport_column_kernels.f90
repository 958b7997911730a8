!> The linear column step for each block width and precision: one body (`column_linear.inc`), compiled once per instance.
module gcas_transport_column_kernels
    use gcas_kinds, only: dp, sp
    use gcas_transport_alignment, only: prefetch
    use gcas_transport_row, only: row_stencil
    implicit none (type, external)
    private

    public :: column_work_size, linear_columns

    !> One row, one block of tracers, in either precision.
    interface linear_columns
        module procedure linear_columns_double, linear_columns_single
    end interface linear_columns

contains

    !> Elements of work space that one row needs.
    pure function column_work_size(width, n_lev) result(elements)
        integer, intent(in) :: width, n_lev
        integer :: elements

        elements = 2*chunk_elements(width)*(n_lev + 1)
    end function column_work_size

    !> Elements of one layer of the columns that are taken together: few, so that the layers a flux needs stay near the processor.
    pure function chunk_elements(width) result(elements)
        integer, intent(in) :: width
        integer :: elements

        elements = max(4, 320/width)*width
    end function chunk_elements

    !> One row, one block of tracers in double precision.
    subroutine linear_columns_double(width, n_lon, n_lat, n_lev, n_basis, j, r, phase, basis, coefficients, q, work)
        integer, intent(in) :: width, n_lon, n_lat, n_lev, n_basis, j, phase
        type(row_stencil), intent(in) :: r
        real(dp), intent(in) :: basis(:, :)
        real(dp), intent(in), contiguous :: coefficients(:, :, :, :)
        real(dp), intent(inout), contiguous :: q(:, :, :, :)
        real(dp), intent(inout) :: work(*) !! from a cache line on, `column_work_size` elements
        integer :: n

        n = 1 + column_work_size(width, n_lev)/2
        select case (width)
        case (1)
            call double_1(n_lon, n_lat, n_lev, n_basis, j, r, r%weights, phase, basis, coefficients, q, work(1), work(n))
        case (2)
            call double_2(n_lon, n_lat, n_lev, n_basis, j, r, r%weights, phase, basis, coefficients, q, work(1), work(n))
        case (4)
            call double_4(n_lon, n_lat, n_lev, n_basis, j, r, r%weights, phase, basis, coefficients, q, work(1), work(n))
        case (8)
            call double_8(n_lon, n_lat, n_lev, n_basis, j, r, r%weights, phase, basis, coefficients, q, work(1), work(n))
        case (16)
            call double_16(n_lon, n_lat, n_lev, n_basis, j, r, r%weights, phase, basis, coefficients, q, work(1), work(n))
        case (20)
            call double_20(n_lon, n_lat, n_lev, n_basis, j, r, r%weights, phase, basis, coefficients, q, work(1), work(n))
        case (24)
            call double_24(n_lon, n_lat, n_lev, n_basis, j, r, r%weights, phase, basis, coefficients, q, work(1), work(n))
        case (32)
            call double_32(n_lon, n_lat, n_lev, n_basis, j, r, r%weights, phase, basis, coefficients, q, work(1), work(n))
        end select
    end subroutine linear_columns_double

    !> One row, one block of tracers in single precision.
    subroutine linear_columns_single(width, n_lon, n_lat, n_lev, n_basis, j, r, phase, basis, coefficients, q, work)
        integer, intent(in) :: width, n_lon, n_lat, n_lev, n_basis, j, phase
        type(row_stencil), intent(in) :: r
        real(dp), intent(in) :: basis(:, :)
        real(sp), intent(in), contiguous :: coefficients(:, :, :, :)
        real(sp), intent(inout), contiguous :: q(:, :, :, :)
        real(sp), intent(inout) :: work(*) !! from a cache line on, `column_work_size` elements
        integer :: n

        n = 1 + column_work_size(width, n_lev)/2
        select case (width)
        case (1)
            call single_1(n_lon, n_lat, n_lev, n_basis, j, r, r%weights_single, phase, basis, coefficients, q, work(1), work(n))
        case (2)
            call single_2(n_lon, n_lat, n_lev, n_basis, j, r, r%weights_single, phase, basis, coefficients, q, work(1), work(n))
        case (4)
            call single_4(n_lon, n_lat, n_lev, n_basis, j, r, r%weights_single, phase, basis, coefficients, q, work(1), work(n))
        case (8)
            call single_8(n_lon, n_lat, n_lev, n_basis, j, r, r%weights_single, phase, basis, coefficients, q, work(1), work(n))
        case (16)
            call single_16(n_lon, n_lat, n_lev, n_basis, j, r, r%weights_single, phase, basis, coefficients, q, work(1), work(n))
        case (32)
            call single_32(n_lon, n_lat, n_lev, n_basis, j, r, r%weights_single, phase, basis, coefficients, q, work(1), work(n))
        end select
    end subroutine linear_columns_single

    subroutine double_1(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 1, rk = dp
        include 'column_linear.inc'
    end subroutine double_1

    subroutine double_2(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 2, rk = dp
        include 'column_linear.inc'
    end subroutine double_2

    subroutine double_4(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 4, rk = dp
        include 'column_linear.inc'
    end subroutine double_4

    subroutine double_8(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 8, rk = dp
        include 'column_linear.inc'
    end subroutine double_8

    subroutine double_16(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 16, rk = dp
        include 'column_linear.inc'
    end subroutine double_16

    subroutine double_20(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 20, rk = dp
        include 'column_linear.inc'
    end subroutine double_20

    subroutine double_24(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 24, rk = dp
        include 'column_linear.inc'
    end subroutine double_24

    subroutine double_32(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 32, rk = dp
        include 'column_linear.inc'
    end subroutine double_32

    subroutine single_1(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 1, rk = sp
        include 'column_linear.inc'
    end subroutine single_1

    subroutine single_2(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 2, rk = sp
        include 'column_linear.inc'
    end subroutine single_2

    subroutine single_4(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 4, rk = sp
        include 'column_linear.inc'
    end subroutine single_4

    subroutine single_8(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 8, rk = sp
        include 'column_linear.inc'
    end subroutine single_8

    subroutine single_16(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 16, rk = sp
        include 'column_linear.inc'
    end subroutine single_16

    subroutine single_32(n_lon, n_lat, n_lev, n_basis, j, r, weights, phase, basis, coefficients, q, fresh, flux)
        integer, parameter :: w = 32, rk = sp
        include 'column_linear.inc'
    end subroutine single_32

end module gcas_transport_column_kernels
