!> Places on the sphere put into an order in which neighbours stand together.
module gcas_partition
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: order_by_place, bounding_ball

    integer, parameter :: serial_size = 512 !! smaller parts are not worth a task of their own

    !> Three axes at right angles, oblique to those of any grid (rotations by 0.7, 1.1 and 0.4 about z, y and z).
    real(dp), parameter :: oblique(3, 3) = reshape([ &
        cos(0.7_dp)*cos(1.1_dp)*cos(0.4_dp) - sin(0.7_dp)*sin(0.4_dp), &
        sin(0.7_dp)*cos(1.1_dp)*cos(0.4_dp) + cos(0.7_dp)*sin(0.4_dp), &
        -sin(1.1_dp)*cos(0.4_dp), &
        -cos(0.7_dp)*cos(1.1_dp)*sin(0.4_dp) - sin(0.7_dp)*cos(0.4_dp), &
        -sin(0.7_dp)*cos(1.1_dp)*sin(0.4_dp) + cos(0.7_dp)*cos(0.4_dp), &
        sin(1.1_dp)*sin(0.4_dp), &
        cos(0.7_dp)*sin(1.1_dp), &
        sin(0.7_dp)*sin(1.1_dp), &
        cos(1.1_dp)], [3, 3])

contains

    !> Put places into an order whose consecutive runs of `leaf` are compact: halved again and again across the longest
    !> side of the bounding box, always at a multiple of `leaf`. The same places in the same order come out the same.
    subroutine order_by_place(vectors, leaf, n_threads, columns)
        real(dp), intent(in) :: vectors(:, :)    !! unit vectors (3, n)
        integer, intent(in) :: leaf              !! places of a run
        integer, intent(in) :: n_threads         !! threads
        integer, intent(inout) :: columns(:)     !! those of `vectors` that are ordered; out: in the new order
        real(dp), allocatable :: places(:, :)    ! along the oblique axes, and the number of the column: moved as one
        integer :: i

        allocate (places(4, size(columns)))
        ! Along oblique axes different places of a regular grid do not share coordinates, equal places still do: a cut at an
        ! even position parts no pair.
        !$omp parallel num_threads(n_threads) if(size(columns) > serial_size)
        !$omp do schedule(static)
        do i = 1, size(columns)
            places(1:3, i) = vectors(1, columns(i))*oblique(1, :) + vectors(2, columns(i))*oblique(2, :) &
                             + vectors(3, columns(i))*oblique(3, :)
            places(4, i) = columns(i)
        end do
        !$omp end do
        !$omp single
        call halve(1, size(columns))
        !$omp end single
        !$omp do schedule(static)
        do i = 1, size(columns)
            columns(i) = nint(places(4, i))
        end do
        !$omp end do
        !$omp end parallel

    contains

        !> Order the places first..last.
        recursive subroutine halve(first, last)
            integer, intent(in) :: first, last
            integer :: middle, n_leaves, n_left

            if (last - first + 1 <= leaf) return
            n_leaves = (last - first + leaf)/leaf
            n_left = 1
            do while (2*n_left < n_leaves)
                n_left = 2*n_left
            end do
            middle = first + n_left*leaf - 1
            call select_smallest(longest_side(last - first + 1, places(:, first:last)), middle - first + 1, places(:, first:last))
            !$omp task if (last - first > serial_size) default(shared) firstprivate(first, middle)
            call halve(first, middle)
            !$omp end task
            call halve(middle + 1, last)
            !$omp taskwait
        end subroutine halve
    end subroutine order_by_place

    !> The axis along which some places reach farthest.
    pure integer function longest_side(n, places) result(axis)
        integer, intent(in) :: n
        real(dp), intent(in) :: places(4, n)
        real(dp) :: high(4), low(4)
        integer :: i, k

        low = places(:, 1)
        high = low
        do i = 2, n
            !$omp simd
            do k = 1, 4
                low(k) = min(low(k), places(k, i))
                high(k) = max(high(k), places(k, i))
            end do
        end do
        axis = maxloc(high(1:3) - low(1:3), dim=1)
    end function longest_side

    !> Hoare's selection: afterwards none of the first `middle` places lies beyond one of the others along the axis.
    pure subroutine select_smallest(axis, middle, places)
        integer, intent(in) :: axis, middle
        real(dp), intent(inout), contiguous :: places(:, :)
        real(dp) :: pivot, place(4)
        integer :: i, j, left, right

        left = 1
        right = size(places, 2)
        do while (left < right)
            pivot = guess(axis, left, right, middle, places)
            i = left
            j = right
            do
                do while (places(axis, i) < pivot)
                    i = i + 1
                end do
                do while (places(axis, j) > pivot)
                    j = j - 1
                end do
                if (i <= j) then
                    place = places(:, i)
                    places(:, i) = places(:, j)
                    places(:, j) = place
                    i = i + 1
                    j = j - 1
                end if
                if (i > j) exit
            end do
            if (j < middle) left = i
            if (i > middle) right = j
        end do
    end subroutine select_smallest

    !> A coordinate among places left..right that is likely to be near that of place `middle`, were they in order: the same
    !> share of a few of them, taken at even distances.
    pure real(dp) function guess(axis, left, right, middle, places)
        integer, intent(in) :: axis, left, right, middle
        real(dp), intent(in), contiguous :: places(:, :)
        integer, parameter :: most = 15
        real(dp) :: few(most), value
        integer :: i, k, n

        n = merge(most, 3, right - left > 8*most)
        do i = 1, n
            value = places(axis, left + int((right - left)*(i - 0.5_dp)/n))
            do k = i - 1, 1, -1
                if (few(k) <= value) exit
                few(k + 1) = few(k)
            end do
            few(k + 1) = value
        end do
        guess = few(1 + (n - 1)*(middle - left)/(right - left))
    end function guess

    !> Centre and radius of a ball, in space, that holds the chosen places.
    pure subroutine bounding_ball(vectors, chosen, centre, radius)
        real(dp), intent(in) :: vectors(:, :)  !! unit vectors (3, n)
        integer, intent(in) :: chosen(:)       !! columns of `vectors`
        real(dp), intent(out) :: centre(3)     !! mean of the chosen places
        real(dp), intent(out) :: radius        !! largest distance from it
        integer :: i

        centre = 0
        do i = 1, size(chosen)
            centre = centre + vectors(:, chosen(i))
        end do
        centre = centre/max(size(chosen), 1)
        radius = 0
        do i = 1, size(chosen)
            radius = max(radius, sum((vectors(:, chosen(i)) - centre)**2))
        end do
        ! A little more than exact, so that rounding leaves nothing out.
        radius = sqrt(radius)*(1.0_dp + 1.0e-12_dp) + 1.0e-12_dp
    end subroutine bounding_ball
end module gcas_partition
