!> Decisions on pairs of targets and sources, vectorised over the lanes of a block.
!>
!> A block has `width` places: 8 if its lanes come in pairs that share a place (two components of one cell: lanes l and
!> l + 8), else 16, one a lane. What depends on the place alone is computed once a place.
module gcas_pair_kernels
    use gcas_ensrf_kernels, only: n_lanes, n_test
    use gcas_kinds, only: dp, i8, sp
    implicit none (type, external)
    private

    public :: half, dot, within_ball, place_chords, mark_reach, judge, scale_weights, drop_unused

    integer, parameter :: half = n_lanes/2           !! lanes of half a block
    real(sp), parameter :: single_margin = 1.0e-5_sp !! correlations this close to a limit are taken again in double

contains

    !> 1 if a < b, else 0, for finite numbers: arithmetic, since the compiler makes branches of `merge`.
    pure elemental real(dp) function below(a, b)
        !$omp declare simd(below)
        real(dp), intent(in) :: a, b

        below = 0.5_dp - sign(0.5_dp, a - b)
    end function below

    !> The same in single precision.
    pure elemental real(sp) function below_single(a, b) result(below)
        !$omp declare simd(below_single)
        real(sp), intent(in) :: a, b

        below = 0.5_sp - sign(0.5_sp, a - b)
    end function below_single

    !> Scalar product in a fixed order of partial sums.
    pure real(dp) function dot(a, b) result(product)
        real(dp), intent(in), contiguous :: a(:) !! (n)
        real(dp), intent(in), contiguous :: b(:) !! (n)
        integer :: m

        product = 0
        !$omp simd reduction(+:product)
        do m = 1, size(a)
            product = product + a(m)*b(m)
        end do
    end function dot

    !> Of some points those nearer to a place than each one's own radius, in their order.
    pure subroutine within_ball(n, x, y, z, numbers, centre, radius2, n_inside, inside)
        integer, intent(in) :: n           !! points
        real(dp), intent(in) :: x(n)       !! first coordinates
        real(dp), intent(in) :: y(n)       !! second coordinates
        real(dp), intent(in) :: z(n)       !! third coordinates
        integer, intent(in) :: numbers(n)  !! what is listed for each point
        real(dp), intent(in) :: centre(3)  !! the place
        real(dp), intent(in) :: radius2(n) !! squares of the radii
        integer, intent(out) :: n_inside   !! points nearer than that
        integer, intent(inout), contiguous :: inside(:) !! their numbers (at least n)
        integer, parameter :: strip = 64
        logical :: is_inside(strip)
        integer :: first, i

        n_inside = 0
        do first = 0, n - 1, strip
            !$omp simd
            do i = 1, min(strip, n - first)
                is_inside(i) = (x(first + i) - centre(1))**2 + (y(first + i) - centre(2))**2 &
                               + (z(first + i) - centre(3))**2 < radius2(first + i)
            end do
            ! Without a branch: every point is written, only those inside move the end.
            do i = 1, min(strip, n - first)
                inside(n_inside + 1) = numbers(first + i)
                n_inside = n_inside + merge(1, 0, is_inside(i))
            end do
        end do
    end subroutine within_ball

    !> Squared chords from the places of a block to the listed sources.
    pure subroutine place_chords(width, n_list, list, places, x, y, z, chord2)
        integer, intent(in) :: width                 !! places
        integer, intent(in) :: n_list                !! sources
        integer, intent(in) :: list(n_list)          !! their numbers
        real(dp), intent(in) :: places(n_lanes, 3)   !! unit vectors of the places
        real(dp), intent(in), contiguous :: x(:)     !! unit vectors of all sources
        real(dp), intent(in), contiguous :: y(:)
        real(dp), intent(in), contiguous :: z(:)
        real(dp), intent(out) :: chord2(width, n_list)
        integer :: first, i, lane

        do i = 1, n_list
            do first = 0, width - half, half
                !$omp simd
                do lane = 1, half
                    chord2(first + lane, i) = (places(first + lane, 1) - x(list(i)))**2 &
                        + (places(first + lane, 2) - y(list(i)))**2 + (places(first + lane, 3) - z(list(i)))**2
                end do
            end do
        end do
    end subroutine place_chords

    !> Weight 1 for pairs in reach, 0 for others and for empty lanes; counts the pairs in reach.
    pure subroutine mark_reach(width, n_list, list, far_chord2, filled, chord2, weight, n_reach)
        integer, intent(in) :: width                  !! places
        integer, intent(in) :: n_list                 !! sources
        integer, intent(in) :: list(n_list)           !! their numbers
        real(dp), intent(in), contiguous :: far_chord2(:) !! squares of the chords of all sources' reach
        real(dp), intent(in) :: filled(n_lanes)       !! 1 for lanes in use, else 0
        real(dp), intent(in) :: chord2(width, n_list) !! squared chords by place
        real(dp), intent(out) :: weight(n_lanes, n_list)
        integer(i8), intent(inout) :: n_reach         !! pairs in reach
        real(dp) :: far, n, total(n_lanes)
        integer :: base, i, lane

        if (n_list < 1) return
        base = merge(half, 0, width == n_lanes)
        do i = 1, n_list
            far = far_chord2(list(i))
            !$omp simd
            do lane = 1, half
                weight(lane, i) = filled(lane)*below(chord2(lane, i), far)
                weight(lane + half, i) = filled(lane + half)*below(chord2(lane + base, i), far)
            end do
        end do
        ! The loop over sources is inside, so that the counts stay in registers.
        !$omp simd private(n, i)
        do lane = 1, n_lanes
            n = 0
            do i = 1, n_list
                n = n + weight(lane, i)
            end do
            total(lane) = n
        end do
        n_reach = n_reach + nint(sum(total), i8)
    end subroutine mark_reach

    !> Reject the pairs of one source whose correlation is not beyond its limit. Lanes so close to their limit that single
    !> precision cannot tell are marked instead.
    pure subroutine judge(base, signs, near, far, near_chord2, chord2, correlation, weight, any_doubt, doubtful)
        integer, intent(in) :: base                    !! place of lane l + 8 is l + base
        real(sp), intent(in) :: signs(n_lanes)         !! sign of the correlation that counts; 0: both
        real(sp), intent(in) :: near(n_lanes)          !! limits in the near band
        real(sp), intent(in) :: far(n_lanes)           !! limits in the far band
        real(dp), intent(in) :: near_chord2            !! square of the chord of the source's near radius
        real(dp), intent(in), contiguous :: chord2(:)  !! squared chords by place (width)
        real(sp), intent(in) :: correlation(n_lanes)   !! correlations
        real(dp), intent(inout) :: weight(n_lanes)     !! weights
        logical, intent(out) :: any_doubt              !! whether any lane is doubtful
        real(dp), intent(out) :: doubtful(n_lanes)     !! 1 where the pair must be judged again
        real(dp) :: most
        real(sp) :: both, is_near, limit, value
        integer :: first, lane, shift

        most = 0
        do first = 0, half, half
            shift = merge(0, base - half, first == 0)
            !$omp simd private(both, is_near, limit, value) reduction(max:most)
            do lane = first + 1, first + half
                is_near = real(below(chord2(lane + shift), near_chord2), sp)
                limit = is_near*near(lane) + (1.0_sp - is_near)*far(lane)
                both = 1.0_sp - abs(signs(lane))
                value = signs(lane)*correlation(lane) + both*abs(correlation(lane))
                doubtful(lane) = weight(lane)*real(below_single(abs(value - limit), single_margin), dp)
                weight(lane) = weight(lane)*real(below_single(limit, value), dp)
                most = max(most, doubtful(lane))
            end do
        end do
        any_doubt = most > 0.0_dp
    end subroutine judge

    !> Multiply the weights of all lanes with a factor of their place.
    pure subroutine scale_weights(width, n_list, factor, weight)
        integer, intent(in) :: width                  !! places
        integer, intent(in) :: n_list                 !! sources
        real(dp), intent(in) :: factor(width, n_list) !! factors by place
        real(dp), intent(inout) :: weight(n_lanes, n_list)
        integer :: base, first, i, lane

        do i = 1, n_list
            do first = 0, half, half
                base = merge(first, 0, width == n_lanes)
                !$omp simd
                do lane = 1, half
                    weight(first + lane, i) = weight(first + lane, i)*factor(base + lane, i)
                end do
            end do
        end do
    end subroutine scale_weights

    !> Drop the sources that no lane accepts, and count what every lane accepts.
    pure subroutine drop_unused(width, n_list, list, chord2, weight, n_accepted)
        integer, intent(in) :: width                         !! places
        integer, intent(inout) :: n_list                     !! sources
        integer, intent(inout), contiguous :: list(:)        !! their numbers
        real(dp), intent(inout) :: chord2(width, *)          !! squared chords by place
        real(dp), intent(inout) :: weight(n_lanes, *)        !! weights
        integer, intent(out) :: n_accepted(n_lanes)          !! accepted sources by lane
        real(dp) :: n_taken, taken(n_lanes)
        integer :: i, lane, n

        n = 0
        do i = 1, n_list
            do lane = 1, n_lanes
                if (weight(lane, i) > 0.0_dp) exit ! mostly the first
            end do
            if (lane <= n_lanes) then
                n = n + 1
                if (n < i) then
                    list(n) = list(i)
                    weight(:, n) = weight(:, i)
                    chord2(:, n) = chord2(:, i)
                end if
            end if
        end do
        n_list = n
        n_accepted = 0
        if (n_list < 1) return
        !$omp simd private(n_taken, i)
        do lane = 1, n_lanes
            n_taken = 0
            do i = 1, n_list
                n_taken = n_taken + below(0.0_dp, weight(lane, i))
            end do
            taken(lane) = n_taken
        end do
        n_accepted = nint(taken)
    end subroutine drop_unused
end module gcas_pair_kernels
