!> Places on the sphere put into an order in which neighbours stand together.
module gcas_partition
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: arrange, order_by_place, bounding_ball

    integer, parameter :: serial_size = 4096 !! smaller parts are not worth a task of their own

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

    !> Targets that move first, the others behind them, each kind in an order in which neighbours stand together.
    subroutine arrange(by_place, vectors, moves, leaf, n_threads, permutation)
        logical, intent(in) :: by_place          !! else only as they stand
        real(dp), intent(in) :: vectors(:, :)    !! unit vectors (3, n)
        logical, intent(in) :: moves(:)          !! whether a target can change (n)
        integer, intent(in) :: leaf              !! places of a run
        integer, intent(in) :: n_threads         !! threads
        integer, intent(out) :: permutation(:)   !! targets in the new order (n)
        integer, allocatable :: chosen(:), within(:)
        integer :: first, i, kind

        first = 1
        do kind = 1, 2
            chosen = pack([(i, i=1, size(moves))], moves .eqv. kind == 1)
            allocate (within(size(chosen)))
            within = [(i, i=1, size(chosen))]
            if (by_place .and. size(chosen) == size(moves)) then
                call order_by_place(vectors, leaf, n_threads, within)
            else if (by_place) then
                call order_by_place(vectors(:, chosen), leaf, n_threads, within)
            end if
            permutation(first:first + size(chosen) - 1) = chosen(within)
            first = first + size(chosen)
            deallocate (within)
        end do
    end subroutine arrange

    !> A permutation whose consecutive runs of `leaf` places are compact: halved again and again across the longest
    !> side of the bounding box, always at a multiple of `leaf`. The same places give the same permutation.
    subroutine order_by_place(vectors, leaf, n_threads, permutation)
        real(dp), intent(in) :: vectors(:, :)    !! unit vectors (3, n)
        integer, intent(in) :: leaf              !! places of a run
        integer, intent(in) :: n_threads         !! threads
        integer, intent(out) :: permutation(:)   !! columns of `vectors` in the new order (n)
        real(dp), allocatable :: places(:, :)
        integer :: i

        permutation = [(i, i=1, size(permutation))]
        allocate (places(size(permutation), 3))
        ! Along oblique axes different places of a regular grid do not share coordinates, equal places still do: a cut at an
        ! even position parts no pair.
        places = matmul(transpose(vectors), oblique)
        !$omp parallel num_threads(n_threads)
        !$omp single
        call halve(1, size(permutation))
        !$omp end single
        !$omp end parallel

    contains

        !> Order the places first..last.
        recursive subroutine halve(first, last)
            integer, intent(in) :: first, last
            integer :: axis, middle, n_leaves, n_left

            if (last - first + 1 <= leaf) return
            n_leaves = (last - first + leaf)/leaf
            n_left = 1
            do while (2*n_left < n_leaves)
                n_left = 2*n_left
            end do
            axis = maxloc(maxval(places(first:last, :), dim=1) - minval(places(first:last, :), dim=1), dim=1)
            middle = first + n_left*leaf - 1
            call select_smallest(axis, first, last, middle)
            !$omp task if (last - first > serial_size) default(shared) firstprivate(first, middle)
            call halve(first, middle)
            !$omp end task
            call halve(middle + 1, last)
            !$omp taskwait
        end subroutine halve

        !> Hoare's selection: afterwards no place of first..middle lies beyond one of middle+1..last along the axis.
        subroutine select_smallest(axis, first, last, middle)
            integer, intent(in) :: axis, first, last, middle
            real(dp) :: pivot
            integer :: i, j, left, right

            left = first
            right = last
            do while (left < right)
                pivot = places((left + right)/2, axis)
                i = left
                j = right
                do
                    do while (places(i, axis) < pivot)
                        i = i + 1
                    end do
                    do while (places(j, axis) > pivot)
                        j = j - 1
                    end do
                    if (i <= j) then
                        call swap(i, j)
                        i = i + 1
                        j = j - 1
                    end if
                    if (i > j) exit
                end do
                if (j < middle) left = i
                if (i > middle) right = j
            end do
        end subroutine select_smallest

        subroutine swap(i, j)
            integer, intent(in) :: i, j
            real(dp) :: place(3)
            integer :: number

            place = places(i, :)
            places(i, :) = places(j, :)
            places(j, :) = place
            number = permutation(i)
            permutation(i) = permutation(j)
            permutation(j) = number
        end subroutine swap
    end subroutine order_by_place

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
