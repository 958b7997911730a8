!> What Python sees of the work on whole fields. Flat arrays in, status and message out; sizes are tested here.
module gcas_transport_fields_face
    use gcas_kinds, only: dp, sp
    use gcas_status, only: status_bad_shape, status_ok
    use gcas_transport_fields, only: add_columns, average, blend, into_blocks, out_of_blocks
    implicit none (type, external)
    private

    public :: blend_double, blend_single, average_double_double, average_single_double, average_double_single, average_single_single
    public :: into_blocks_double, into_blocks_single, out_of_blocks_double, out_of_blocks_single
    public :: add_columns_double, add_columns_single

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

    !> Take values in double precision into a running mean in double.
    subroutine average_double_double(n_threads, values, weight, mean, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: values(:, :)           !! (block, n)
        real(dp), intent(in) :: weight                 !! one over the number of values with those before; 1: begin anew [1]
        real(dp), contiguous, intent(inout) :: mean(:, :)          !! of the first values of each block (part, n)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_means(shape(values), shape(mean), status, message)
        if (status == status_ok) call average(n_threads, values, weight, mean)
    end subroutine average_double_double

    !> Take values in single precision into a running mean in double.
    subroutine average_single_double(n_threads, values, weight, mean, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(sp), contiguous, intent(in) :: values(:, :)           !! (block, n)
        real(dp), intent(in) :: weight                 !! one over the number of values with those before; 1: begin anew [1]
        real(dp), contiguous, intent(inout) :: mean(:, :)          !! of the first values of each block (part, n)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_means(shape(values), shape(mean), status, message)
        if (status == status_ok) call average(n_threads, values, weight, mean)
    end subroutine average_single_double

    !> Take values in double precision into a running mean in single.
    subroutine average_double_single(n_threads, values, weight, mean, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: values(:, :)           !! (block, n)
        real(dp), intent(in) :: weight                 !! one over the number of values with those before; 1: begin anew [1]
        real(sp), contiguous, intent(inout) :: mean(:, :)          !! of the first values of each block (part, n)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_means(shape(values), shape(mean), status, message)
        if (status == status_ok) call average(n_threads, values, weight, mean)
    end subroutine average_double_single

    !> Take values in single precision into a running mean in single.
    subroutine average_single_single(n_threads, values, weight, mean, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(sp), contiguous, intent(in) :: values(:, :)           !! (block, n)
        real(dp), intent(in) :: weight                 !! one over the number of values with those before; 1: begin anew [1]
        real(sp), contiguous, intent(inout) :: mean(:, :)          !! of the first values of each block (part, n)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_means(shape(values), shape(mean), status, message)
        if (status == status_ok) call average(n_threads, values, weight, mean)
    end subroutine average_single_single

    !> Some tracers, one after the other, to blocks in double precision; the rest of the blocks is left alone.
    subroutine into_blocks_double(n_threads, values, first, q, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: values(:, :, :, :)     !! (n_lon, n_lat, n, n_given)
        integer, intent(in) :: first                   !! first tracer given, from 1
        real(dp), contiguous, intent(inout) :: q(:, :, :, :, :)    !! (block, n_lon, n_lat, n, n_blocks)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_blocks(shape(values), shape(q), first, status, message)
        if (status == status_ok) call into_blocks(n_threads, values, first, q)
    end subroutine into_blocks_double

    !> Some tracers, one after the other, to blocks in single precision; the rest of the blocks is left alone.
    subroutine into_blocks_single(n_threads, values, first, q, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: values(:, :, :, :)     !! (n_lon, n_lat, n, n_given)
        integer, intent(in) :: first                   !! first tracer given, from 1
        real(sp), contiguous, intent(inout) :: q(:, :, :, :, :)    !! (block, n_lon, n_lat, n, n_blocks)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_blocks(shape(values), shape(q), first, status, message)
        if (status == status_ok) call into_blocks(n_threads, values, first, q)
    end subroutine into_blocks_single

    !> Some tracers of blocks in double precision, one after the other.
    subroutine out_of_blocks_double(n_threads, q, first, values, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: q(:, :, :, :, :)       !! (block, n_lon, n_lat, n, n_blocks)
        integer, intent(in) :: first                   !! first tracer wanted, from 1
        real(dp), contiguous, intent(inout) :: values(:, :, :, :)  !! (n_lon, n_lat, n, n_wanted)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_blocks(shape(values), shape(q), first, status, message)
        if (status == status_ok) call out_of_blocks(n_threads, q, first, values)
    end subroutine out_of_blocks_double

    !> Some tracers of blocks in single precision, one after the other.
    subroutine out_of_blocks_single(n_threads, q, first, values, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(sp), contiguous, intent(in) :: q(:, :, :, :, :)       !! (block, n_lon, n_lat, n, n_blocks)
        integer, intent(in) :: first                   !! first tracer wanted, from 1
        real(dp), contiguous, intent(inout) :: values(:, :, :, :)  !! (n_lon, n_lat, n, n_wanted)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_blocks(shape(values), shape(q), first, status, message)
        if (status == status_ok) call out_of_blocks(n_threads, q, first, values)
    end subroutine out_of_blocks_single

    !> Weighted columns of tracers in double precision onto sums.
    subroutine add_columns_double(n_threads, q, background, lon, lat, row, weight, sums, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), contiguous, intent(in) :: q(:, :, :, :, :)       !! (block, n_lon, n_lat, n, n_blocks)
        real(dp), contiguous, intent(in) :: background(:, :, :)    !! added to every tracer (n_lon, n_lat, n), or of size zero
        integer, contiguous, intent(in) :: lon(:)      !! of the columns' cells, from 1 (n_columns)
        integer, contiguous, intent(in) :: lat(:)      !! (n_columns)
        integer, contiguous, intent(in) :: row(:)      !! where each column goes, none twice, from 1 (n_columns)
        real(dp), contiguous, intent(in) :: weight(:)  !! (n_columns) [1]
        real(dp), contiguous, intent(inout) :: sums(:, :, :)       !! (n, n_tracers, n_rows)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_columns(shape(q), shape(background), lon, lat, row, size(weight), shape(sums), status, message)
        if (status == status_ok) call add_columns(n_threads, q, background, lon, lat, row, weight, sums)
    end subroutine add_columns_double

    !> Weighted columns of tracers in single precision onto sums.
    subroutine add_columns_single(n_threads, q, background, lon, lat, row, weight, sums, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(sp), contiguous, intent(in) :: q(:, :, :, :, :)       !! (block, n_lon, n_lat, n, n_blocks)
        real(dp), contiguous, intent(in) :: background(:, :, :)    !! added to every tracer (n_lon, n_lat, n), or of size zero
        integer, contiguous, intent(in) :: lon(:)      !! of the columns' cells, from 1 (n_columns)
        integer, contiguous, intent(in) :: lat(:)      !! (n_columns)
        integer, contiguous, intent(in) :: row(:)      !! where each column goes, none twice, from 1 (n_columns)
        real(dp), contiguous, intent(in) :: weight(:)  !! (n_columns) [1]
        real(dp), contiguous, intent(inout) :: sums(:, :, :)       !! (n, n_tracers, n_rows)
        integer, intent(out) :: status                 !! status table
        character(len=200), intent(out) :: message     !! empty unless status tells otherwise

        call check_columns(shape(q), shape(background), lon, lat, row, size(weight), shape(sums), status, message)
        if (status == status_ok) call add_columns(n_threads, q, background, lon, lat, row, weight, sums)
    end subroutine add_columns_single

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

    !> Does the mean belong to the values, or to the first of each block?
    subroutine check_means(v_shape, m_shape, status, message)
        integer, intent(in) :: v_shape(:), m_shape(:)
        integer, intent(out) :: status
        character(len=*), intent(out) :: message

        status = status_ok
        message = ''
        if (m_shape(1) <= v_shape(1) .and. m_shape(2) == v_shape(2)) return
        status = status_bad_shape
        write (message, '(4(a, i0))') 'mean: found ', m_shape(1), ' x ', m_shape(2), ', expected at most ', v_shape(1), &
            ' x ', v_shape(2)
    end subroutine check_means

    !> Do the blocks have room for tracers from a first one on?
    subroutine check_blocks(v_shape, q_shape, first, status, message)
        integer, intent(in) :: v_shape(:), q_shape(:), first
        integer, intent(out) :: status
        character(len=*), intent(out) :: message

        status = status_bad_shape
        message = 'values: found a shape that does not fit the blocks'
        if (any(v_shape(1:3) /= q_shape(2:4))) return
        if (first < 1 .or. first + v_shape(4) - 1 > q_shape(1)*q_shape(5)) return
        status = status_ok
        message = ''
    end subroutine check_blocks

    !> Are the columns inside the blocks, and do their sums have room for them?
    subroutine check_columns(q_shape, under_shape, lon, lat, row, n_weights, sums_shape, status, message)
        integer, intent(in) :: q_shape(:), under_shape(:), lon(:), lat(:), row(:), n_weights, sums_shape(:)
        integer, intent(out) :: status
        character(len=*), intent(out) :: message

        status = status_bad_shape
        message = 'background: found a shape that is not that of a tracer'
        if (product(under_shape) > 0 .and. any(under_shape /= q_shape(2:4))) return
        message = 'lon, lat, row, weight: found different sizes'
        if (any([size(lon), size(lat), n_weights] /= size(row))) return
        message = 'lon, lat: found a cell outside the grid'
        if (any(lon < 1) .or. any(lon > q_shape(2)) .or. any(lat < 1) .or. any(lat > q_shape(3))) return
        message = 'sums: found a shape that does not fit the blocks, or a row outside it'
        if (sums_shape(1) /= q_shape(4) .or. sums_shape(2) > q_shape(1)*q_shape(5)) return
        if (any(row < 1) .or. any(row > sums_shape(3))) return
        status = status_ok
        message = ''
    end subroutine check_columns
end module gcas_transport_fields_face
