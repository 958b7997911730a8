!> What is done to whole fields around the transport: interpolation in time, running sums, tracers into blocks and out of them.
!>
!> Every value is computed from its own inputs by one thread, so that results do not depend on the number of threads.
module gcas_transport_fields
    use gcas_kinds, only: dp, sp
    implicit none (type, external)
    private

    public :: blend, add_to, into_blocks, out_of_blocks, mean_of_tracers

    !> Linear interpolation between two records.
    interface blend
        module procedure blend_double, blend_single
    end interface blend

    !> Running sum.
    interface add_to
        module procedure add_to_double, add_to_single
    end interface add_to

    !> Tracers, one after the other, to blocks with the tracer fastest; what a block has to spare is left alone.
    interface into_blocks
        module procedure into_blocks_double, into_blocks_single
    end interface into_blocks

    !> Blocks, divided by a number, to one tracer after the other.
    interface out_of_blocks
        module procedure out_of_blocks_double, out_of_blocks_single
    end interface out_of_blocks

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

    !> Double precision.
    subroutine add_to_double(n_threads, values, total)
        integer, parameter :: rk = dp
        include 'add_to.inc'
    end subroutine add_to_double

    !> Single precision values.
    subroutine add_to_single(n_threads, values, total)
        integer, parameter :: rk = sp
        include 'add_to.inc'
    end subroutine add_to_single

    !> Double precision.
    subroutine into_blocks_double(n_threads, values, q)
        integer, parameter :: rk = dp
        include 'into_blocks.inc'
    end subroutine into_blocks_double

    !> Single precision blocks.
    subroutine into_blocks_single(n_threads, values, q)
        integer, parameter :: rk = sp
        include 'into_blocks.inc'
    end subroutine into_blocks_single

    !> Double precision.
    subroutine out_of_blocks_double(n_threads, q, divisor, values)
        integer, parameter :: rk = dp
        include 'out_of_blocks.inc'
    end subroutine out_of_blocks_double

    !> Single precision blocks.
    subroutine out_of_blocks_single(n_threads, q, divisor, values)
        integer, parameter :: rk = sp
        include 'out_of_blocks.inc'
    end subroutine out_of_blocks_single

    !> Mean of all tracers; the mean of equal values is that value, to the bit.
    subroutine mean_of_tracers(n_threads, values, mean)
        integer, intent(in) :: n_threads                 !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: values(:, :) !! (n_cells, n_tracers)
        real(dp), contiguous, intent(inout) :: mean(:)   !! (n_cells)
        integer, parameter :: tile = 16384               !! cells that stay in a cache
        integer :: first, last, n
        real(dp) :: total(tile)

        !$omp parallel do default(none) num_threads(n_threads) schedule(static) private(first, last, n, total) shared(values, mean)
        do first = 1, size(mean), tile
            last = min(first + tile - 1, size(mean))
            total = 0.0_dp
            do n = 2, size(values, 2)
                call add_difference(last - first + 1, values(first:last, n), values(first:last, 1), total)
            end do
            mean(first:last) = values(first:last, 1) + total(:last - first + 1)/real(size(values, 2), dp)
        end do
        !$omp end parallel do
    end subroutine mean_of_tracers

    !> One tracer's part of a mean.
    pure subroutine add_difference(n, values, reference, total)
        integer, intent(in) :: n               !! cells [1]
        real(dp), intent(in) :: values(n)      !! (n)
        real(dp), intent(in) :: reference(n)   !! (n)
        real(dp), intent(inout) :: total(n)    !! (n)

        total = total + (values - reference)
    end subroutine add_difference
end module gcas_transport_fields
