!> What Python sees of the work on whole fields. Flat arrays in, status and message out; sizes are tested here.
module gcas_transport_fields_face
    use gcas_kinds, only: dp, sp
    use gcas_status, only: status_bad_shape, status_ok
    use gcas_transport_fields, only: add_to, blend, into_blocks, mean_of_tracers, out_of_blocks
    implicit none (type, external)
    private

    public :: blend_double, blend_single, add_double, add_single, into_blocks_double, into_blocks_single
    public :: out_of_blocks_double, out_of_blocks_single, tracer_mean

contains

    !> Linear interpolation between two records in double precision.
    subroutine blend_double(n_threads, first, last, weight, blended, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: first(:)               !! record before (n)
        real(dp), contiguous, intent(in) :: last(:)                !! record after (n)
        real(dp), intent(in) :: weight                 !! of the record after, 0 … 1 [1]
        real(dp), contiguous, intent(inout) :: blended(:)          !! (n)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_sizes('records', [size(first), size(last)], size(blended), status, message)
        if (status == status_ok) call blend(n_threads, first, last, weight, blended)
    end subroutine blend_double

    !> Linear interpolation between two records in single precision, as files have them.
    subroutine blend_single(n_threads, first, last, weight, blended, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(sp), contiguous, intent(in) :: first(:)               !! record before (n)
        real(sp), contiguous, intent(in) :: last(:)                !! record after (n)
        real(dp), intent(in) :: weight                 !! of the record after, 0 … 1 [1]
        real(dp), contiguous, intent(inout) :: blended(:)          !! (n)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_sizes('records', [size(first), size(last)], size(blended), status, message)
        if (status == status_ok) call blend(n_threads, first, last, weight, blended)
    end subroutine blend_single

    !> Add values in double precision to a running sum.
    subroutine add_double(n_threads, values, total, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: values(:)              !! (n)
        real(dp), contiguous, intent(inout) :: total(:)            !! (n)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_sizes('values', [size(values)], size(total), status, message)
        if (status == status_ok) call add_to(n_threads, values, total)
    end subroutine add_double

    !> Add values in single precision to a running sum.
    subroutine add_single(n_threads, values, total, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(sp), contiguous, intent(in) :: values(:)              !! (n)
        real(dp), contiguous, intent(inout) :: total(:)            !! (n)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_sizes('values', [size(values)], size(total), status, message)
        if (status == status_ok) call add_to(n_threads, values, total)
    end subroutine add_single

    !> Tracers, one after the other, to blocks in double precision; what the last block has to spare is left alone.
    subroutine into_blocks_double(n_threads, values, q, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: values(:, :, :, :)     !! (n_lon, n_lat, n, n_tracers)
        real(dp), contiguous, intent(inout) :: q(:, :, :, :, :)    !! (block, n_lon, n_lat, n, n_blocks)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_blocks(shape(values), shape(q), status, message)
        if (status == status_ok) call into_blocks(n_threads, values, q)
    end subroutine into_blocks_double

    !> Tracers, one after the other, to blocks in single precision; what the last block has to spare is left alone.
    subroutine into_blocks_single(n_threads, values, q, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: values(:, :, :, :)     !! (n_lon, n_lat, n, n_tracers)
        real(sp), contiguous, intent(inout) :: q(:, :, :, :, :)    !! (block, n_lon, n_lat, n, n_blocks)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_blocks(shape(values), shape(q), status, message)
        if (status == status_ok) call into_blocks(n_threads, values, q)
    end subroutine into_blocks_single

    !> Blocks in double precision, divided by a number, to one tracer after the other.
    subroutine out_of_blocks_double(n_threads, q, divisor, values, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: q(:, :, :, :, :)       !! (block, n_lon, n_lat, n, n_blocks)
        real(dp), intent(in) :: divisor                !! [1]
        real(dp), contiguous, intent(inout) :: values(:, :, :, :)  !! (n_lon, n_lat, n, n_tracers)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_blocks(shape(values), shape(q), status, message)
        if (status == status_ok) call out_of_blocks(n_threads, q, divisor, values)
    end subroutine out_of_blocks_double

    !> Blocks in single precision, divided by a number, to one tracer after the other.
    subroutine out_of_blocks_single(n_threads, q, divisor, values, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(sp), contiguous, intent(in) :: q(:, :, :, :, :)       !! (block, n_lon, n_lat, n, n_blocks)
        real(dp), intent(in) :: divisor                !! [1]
        real(dp), contiguous, intent(inout) :: values(:, :, :, :)  !! (n_lon, n_lat, n, n_tracers)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_blocks(shape(values), shape(q), status, message)
        if (status == status_ok) call out_of_blocks(n_threads, q, divisor, values)
    end subroutine out_of_blocks_single

    !> Mean of all tracers; the mean of equal values is that value, to the bit.
    subroutine tracer_mean(n_threads, values, mean, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: values(:, :)           !! (n_cells, n_tracers)
        real(dp), contiguous, intent(inout) :: mean(:)             !! (n_cells)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_sizes('values', [size(values, 1)], size(mean), status, message)
        if (status == status_ok) call mean_of_tracers(n_threads, values, mean)
    end subroutine tracer_mean

    !> Do the arrays have one size?
    subroutine check_sizes(name, sizes, expected, status, message)
        character(len=*), intent(in) :: name
        integer, intent(in) :: sizes(:), expected
        integer, intent(out) :: status
        character(len=*), intent(out) :: message

        status = status_ok
        message = ''
        if (all(sizes == expected)) return
        status = status_bad_shape
        write (message, '(2a, i0, a, i0)') name, ': found a size of ', &
            sizes(findloc(sizes == expected, .false., 1)), ', expected ', expected
    end subroutine check_sizes

    !> Do tracers and blocks fit each other?
    subroutine check_blocks(v_shape, q_shape, status, message)
        integer, intent(in) :: v_shape(:), q_shape(:)
        integer, intent(out) :: status
        character(len=*), intent(out) :: message

        status = status_bad_shape
        message = 'values: found a shape that does not fit the blocks'
        if (any(v_shape(1:3) /= q_shape(2:4))) return
        if (v_shape(4) > q_shape(1)*q_shape(5) .or. v_shape(4) <= q_shape(1)*(q_shape(5) - 1)) return
        status = status_ok
        message = ''
    end subroutine check_blocks
end module gcas_transport_fields_face
