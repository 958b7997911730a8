!> What is done to whole fields around the transport: interpolation in time, running means, tracers into blocks and out of them, columns.
!>
!> Every value is computed from its own inputs by one thread, so that results do not depend on the number of threads.
module gcas_transport_fields
    use gcas_kinds, only: dp, sp
    use gcas_transport_alignment, only: prefetch
    implicit none (type, external)
    private

    public :: blend, average, into_blocks, out_of_blocks, add_columns

    !> Linear interpolation between two records.
    interface blend
        module procedure blend_double, blend_single
    end interface blend

    !> Running mean; the mean of equal values is that value, to the bit.
    interface average
        module procedure average_double_double, average_single_double, average_double_single, average_single_single
    end interface average

    !> Some tracers, one after the other, to their places in blocks with the tracer fastest; the rest of the blocks is left alone.
    interface into_blocks
        module procedure into_blocks_double, into_blocks_single
    end interface into_blocks

    !> Some tracers of blocks, one after the other.
    interface out_of_blocks
        module procedure out_of_blocks_double, out_of_blocks_single
    end interface out_of_blocks

    !> Weighted columns of all tracers onto sums, the level fastest.
    interface add_columns
        module procedure add_columns_double, add_columns_single
    end interface add_columns

contains

    !> Records in double precision.
    subroutine blend_double(n_threads, first, last, weight, blended)
        integer, parameter :: rk = dp
        include 'blend.inc'
    end subroutine blend_double

    !> Records in single precision, as files have them.
    subroutine blend_single(n_threads, first, last, weight, blended)
        integer, parameter :: rk = sp
        include 'blend.inc'
    end subroutine blend_single

    !> Values in double precision, mean in double.
    subroutine average_double_double(n_threads, values, weight, mean)
        integer, parameter :: rk = dp, mk = dp
        include 'average.inc'
    end subroutine average_double_double

    !> Values in single precision, mean in double.
    subroutine average_single_double(n_threads, values, weight, mean)
        integer, parameter :: rk = sp, mk = dp
        include 'average.inc'
    end subroutine average_single_double

    !> Values in double precision, mean in single.
    subroutine average_double_single(n_threads, values, weight, mean)
        integer, parameter :: rk = dp, mk = sp
        include 'average.inc'
    end subroutine average_double_single

    !> Values in single precision, mean in single.
    subroutine average_single_single(n_threads, values, weight, mean)
        integer, parameter :: rk = sp, mk = sp
        include 'average.inc'
    end subroutine average_single_single

    !> Double precision.
    subroutine into_blocks_double(n_threads, values, first, q)
        integer, parameter :: rk = dp
        include 'into_blocks.inc'
    end subroutine into_blocks_double

    !> Single precision blocks.
    subroutine into_blocks_single(n_threads, values, first, q)
        integer, parameter :: rk = sp
        include 'into_blocks.inc'
    end subroutine into_blocks_single

    !> Double precision.
    subroutine out_of_blocks_double(n_threads, q, first, values)
        integer, parameter :: rk = dp
        include 'out_of_blocks.inc'
    end subroutine out_of_blocks_double

    !> Single precision blocks.
    subroutine out_of_blocks_single(n_threads, q, first, values)
        integer, parameter :: rk = sp
        include 'out_of_blocks.inc'
    end subroutine out_of_blocks_single

    !> Double precision.
    subroutine add_columns_double(n_threads, q, background, lon, lat, row, weight, sums)
        integer, parameter :: rk = dp
        include 'add_columns.inc'
    end subroutine add_columns_double

    !> Single precision blocks.
    subroutine add_columns_single(n_threads, q, background, lon, lat, row, weight, sums)
        integer, parameter :: rk = sp
        include 'add_columns.inc'
    end subroutine add_columns_single
end module gcas_transport_fields
