!> The observations as the EnSRF uses them, in the order of assimilation.
!>
!> Every observation in turn receives the updates of those before it in its reach and is then ready to be used: its
!> perturbations, gain and innovation at that moment are stored, as the source of updates.
module gcas_ensrf_sources
    use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
    use gcas_kinds, only: dp, sp
    use gcas_localization, only: acceptance_limits, keep_best, localization, localization_none, localization_weights, &
        observation_radii
    use gcas_pair_kernels, only: dot, within_ball
    use gcas_taper, only: taper_column
    implicit none (type, external)
    private

    public :: source_set, set_sources, survey, earlier_sources, decide_column, finish_source, split_mean, normalise

    type :: source_set
        integer :: n = 0         !! observations in use
        integer :: n_members = 0 !! members
        integer, allocatable :: number(:)            !! column of each source in the caller's arrays (n)
        real(dp), allocatable :: perturbation(:, :)  !! perturbations when assimilated (n_members, 0:n); column 0 is zero
        real(dp), allocatable :: gain(:)             !! alpha/((N-1)(s+R)) (0:n)
        real(dp), allocatable :: step(:)             !! innovation when assimilated, over alpha (0:n)
        real(dp), allocatable :: mean(:)             !! mean when assimilated (n)
        real(dp), allocatable :: variance(:)         !! s when assimilated (n)
        real(dp), allocatable :: x(:), y(:), z(:)    !! unit vectors (n)
        type(observation_radii) :: radii             !! set where bands of distance decide (n)
        real(dp), allocatable :: test(:, :)          !! prior perturbations of length 1 (n_members, 0:n), where a rule needs correlations
        real(sp), allocatable :: test_single(:, :)   !! the same, rounded
        logical :: single = .false.                  !! the second phase works in single precision
        real(sp), allocatable :: rounded(:, :)       !! `perturbation`, rounded, where that is so (n_members, 0:n)
    end type source_set

    real(dp), parameter :: least_spread = 1.0e-150_dp !! perturbations whose squares are still numbers

contains

    !> Mean and perturbations of one ensemble; a spread that is only rounding, or whose squares underflow, counts as none and
    !> becomes exactly zero.
    pure subroutine split_mean(values, mean, perturbations, has_spread)
        real(dp), intent(in), contiguous :: values(:)           !! members (n_members)
        real(dp), intent(out) :: mean                           !! their mean
        real(dp), intent(inout), contiguous :: perturbations(:) !! members minus mean (n_members)
        logical, intent(out) :: has_spread                      !! whether the members differ

        mean = mean_of(values)
        perturbations = values - mean
        has_spread = differ(values, mean)
        if (.not. has_spread) perturbations = 0
    end subroutine split_mean

    !> Mean of the members.
    pure real(dp) function mean_of(values) result(mean)
        real(dp), intent(in), contiguous :: values(:) !! members (n_members)
        integer :: m

        mean = 0
        !$omp simd reduction(+:mean)
        do m = 1, size(values)
            mean = mean + values(m)
        end do
        mean = mean/size(values)
    end function mean_of

    !> Whether any member is further from the mean than by rounding, and by so much that squares are numbers.
    pure logical function differ(values, mean)
        real(dp), intent(in), contiguous :: values(:) !! members (n_members)
        real(dp), intent(in) :: mean                  !! their mean
        real(dp) :: least
        integer :: m

        least = least_departure(mean)
        differ = .false.
        do m = 1, size(values)
            differ = abs(values(m) - mean) > least
            if (differ) return ! almost always with the first member
        end do
    end function differ

    !> What a member must be away from the mean to count as different.
    pure real(dp) function least_departure(mean)
        real(dp), intent(in) :: mean !! of the members

        least_departure = max(16.0_dp*epsilon(1.0_dp)*abs(mean), least_spread)
    end function least_departure

    !> Divide by the length; zero stays zero.
    pure subroutine normalise(perturbations)
        real(dp), intent(inout), contiguous :: perturbations(:)
        real(dp) :: largest, square
        integer :: m

        ! Scaled first, so that neither tiny nor huge numbers leave the range of squares.
        largest = 0
        !$omp simd reduction(max:largest)
        do m = 1, size(perturbations)
            largest = max(largest, abs(perturbations(m)))
        end do
        if (.not. largest > 0.0_dp) return
        perturbations = perturbations/largest
        square = 0
        !$omp simd reduction(+:square)
        do m = 1, size(perturbations)
            square = square + perturbations(m)**2
        end do
        perturbations = perturbations*(1.0_dp/sqrt(square))
    end subroutine normalise

    !> Means of the targets, which of them have spread, and whether all numbers are finite. A target without spread is not read again.
    subroutine survey(values, n_threads, mean, moving, finite)
        real(dp), intent(in), contiguous :: values(:, :) !! members (n_members, n_targets)
        integer, intent(in) :: n_threads                 !! threads
        real(dp), intent(out) :: mean(:)                 !! (n_targets)
        integer, intent(out), allocatable :: moving(:)   !! the targets with spread, ascending
        logical, intent(out) :: finite                   !! neither NaN, infinity nor squares that overflow
        logical, allocatable :: has_spread(:)
        logical :: good
        integer :: i, n

        allocate (has_spread(size(values, 2)))
        finite = .true.
        !$omp parallel do num_threads(n_threads) default(none) shared(values, mean, has_spread) private(good) &
        !$omp     reduction(.and.:finite) schedule(static)
        do i = 1, size(values, 2)
            call survey_column(values(:, i), mean(i), has_spread(i), good)
            finite = finite .and. good
        end do
        !$omp end parallel do
        allocate (moving(count(has_spread)))
        n = 0
        do i = 1, size(values, 2)
            if (.not. has_spread(i)) cycle
            n = n + 1
            moving(n) = i
        end do
    end subroutine survey

    !> The same of one ensemble.
    pure subroutine survey_column(values, mean, has_spread, finite)
        real(dp), intent(in), contiguous :: values(:) !! members (n_members)
        real(dp), intent(out) :: mean
        logical, intent(out) :: has_spread
        logical, intent(out) :: finite
        real(dp) :: highest, lowest, square
        integer :: m

        mean = mean_of(values)
        square = 0
        highest = values(1)
        lowest = values(1)
        !$omp simd reduction(+:square) reduction(max:highest) reduction(min:lowest)
        do m = 1, size(values)
            square = square + values(m)**2
            highest = max(highest, values(m))
            lowest = min(lowest, values(m))
        end do
        finite = ieee_is_finite(square)
        has_spread = max(highest - mean, mean - lowest) > least_departure(mean) ! as `differ`, to the bit
        if (.not. highest > lowest) mean = highest ! without the rounding of a sum
    end subroutine survey_column

    !> Put the observations in order and prepare what both phases need of the prior.
    subroutine set_sources(order, vectors, hx, hx_test, correlated, inflation, single, n_threads, self)
        integer, intent(in) :: order(:)             !! columns of `hx` in the order of assimilation (n)
        real(dp), intent(in) :: vectors(:, :)       !! unit vectors of all observations (3, n_observations)
        real(dp), intent(in), contiguous :: hx(:, :)      !! prior simulated values (n_members, n_observations)
        real(dp), intent(in), contiguous :: hx_test(:, :) !! what stands for them in tests (n_members, n_observations)
        logical, intent(in) :: correlated           !! some rule needs correlations
        real(dp), intent(in) :: inflation           !! factor of the prior perturbations
        logical, intent(in) :: single               !! the second phase shall work in single precision
        integer, intent(in) :: n_threads            !! threads
        type(source_set), intent(out) :: self
        real(dp) :: unused
        logical :: has_spread
        integer :: i, n_tested

        self%n = size(order)
        self%single = single
        self%n_members = size(hx, 1)
        self%number = order
        n_tested = merge(self%n_members, 0, correlated)
        allocate (self%perturbation(self%n_members, 0:self%n), self%test(n_tested, 0:self%n), &
                  self%test_single(n_tested, 0:self%n), self%gain(0:self%n), self%step(0:self%n), &
                  self%mean(self%n), self%variance(self%n))
        self%perturbation(:, 0) = 0
        self%test(:, 0) = 0
        self%gain(0) = 0
        self%step(0) = 0
        self%test_single(:, 0) = 0
        !$omp parallel do num_threads(n_threads) default(none) shared(order, hx, hx_test, correlated, inflation, self) &
        !$omp     private(has_spread, unused) schedule(static)
        do i = 1, self%n
            call split_mean(hx(:, order(i)), self%mean(i), self%perturbation(:, i), has_spread)
            self%perturbation(:, i) = inflation*self%perturbation(:, i)
            if (.not. correlated) cycle
            call split_mean(hx_test(:, order(i)), unused, self%test(:, i), has_spread)
            call normalise(self%test(:, i))
            self%test_single(:, i) = real(self%test(:, i), sp)
        end do
        !$omp end parallel do
        self%x = vectors(1, order)
        self%y = vectors(2, order)
        self%z = vectors(3, order)
    end subroutine set_sources

    !> The sources from `first` to before source `j` that update it, with their weights.
    subroutine earlier_sources(local, weights, sign, numbers, first, j, self, n_list, list, weight, chord2)
        type(localization), intent(in) :: local
        real(dp), intent(in), contiguous :: weights(:, :)
        integer, intent(in) :: sign       !! sign of the correlation that counts; 0: both
        integer, intent(in) :: numbers(:) !! 1 to n
        integer, intent(in) :: first      !! earliest source asked for; 1 where their number is limited
        integer, intent(in) :: j
        type(source_set), intent(in) :: self
        integer, intent(out) :: n_list
        integer, intent(inout), contiguous :: list(:)
        real(dp), intent(inout), contiguous :: weight(:), chord2(:)
        integer :: i, last

        ! A limit on the number of observations is a choice among all of them, also those that come later.
        last = merge(self%n, j - 1, local%max_sources > 0)
        n_list = 0
        select case (local%kind)
        case (localization_none)
            n_list = j - first
            list(1:n_list) = numbers(first:j - 1)
            weight(1:n_list) = 1
        case (localization_weights)
            do i = first, j - 1
                if (weights(self%number(i), self%number(j)) > 0.0_dp) then
                    n_list = n_list + 1
                    list(n_list) = i
                    weight(n_list) = weights(self%number(i), self%number(j))
                end if
            end do
        case default
            call within_ball(last - first + 1, self%x(first:last), self%y(first:last), self%z(first:last), &
                             numbers(first:last), [self%x(j), self%y(j), self%z(j)], self%radii%far_chord2(first:last), &
                             n_list, list)
            chord2(1:n_list) = (self%x(list(1:n_list)) - self%x(j))**2 + (self%y(list(1:n_list)) - self%y(j))**2 &
                               + (self%z(list(1:n_list)) - self%z(j))**2
            call decide_column(local, self, sign, self%test(:, j), n_list, list, chord2, weight)
            if (local%max_sources > 0) n_list = count(list(1:n_list) < j)
        end select
    end subroutine earlier_sources

    !> Of the sources in reach of one target keep those whose correlation is accepted, at most the limit, and set
    !> their weights. Order is kept.
    subroutine decide_column(local, self, sign, test, n_list, list, chord2, weight)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: self
        integer, intent(in) :: sign                        !! sign of the correlation that counts; 0: both
        real(dp), intent(in), contiguous :: test(:)        !! prior perturbations of the target, of length 1
        integer, intent(inout) :: n_list                   !! sources in reach; out: accepted
        integer, intent(inout), contiguous :: list(:)      !! their numbers
        real(dp), intent(inout), contiguous :: chord2(:)   !! squared chords to the target
        real(dp), intent(inout), contiguous :: weight(:)   !! out: weights
        real(dp) :: far, near, r
        logical, allocatable :: keep(:)
        logical :: needed
        integer :: i, n_reach

        call acceptance_limits(local, sign, near, far, needed)
        if (needed) then
            n_reach = n_list
            n_list = 0
            do i = 1, n_reach
                r = dot(test, self%test(:, list(i)))
                if (merge(sign*r, abs(r), sign /= 0) > merge(near, far, chord2(i) < self%radii%near_chord2(list(i)))) then
                    n_list = n_list + 1
                    list(n_list) = list(i)
                    chord2(n_list) = chord2(i)
                    weight(n_list) = -abs(r)
                end if
            end do
        end if
        if (local%max_sources > 0 .and. n_list > local%max_sources) then
            allocate (keep(n_list))
            if (local%best_correlated) then
                call keep_best(weight(1:n_list), local%max_sources, keep)
            else
                call keep_best(chord2(1:n_list), local%max_sources, keep)
            end if
            list(1:local%max_sources) = pack(list(1:n_list), keep)
            chord2(1:local%max_sources) = pack(chord2(1:n_list), keep)
            n_list = local%max_sources
        end if
        if (local%tapered) then
            call taper_column(n_list, list, self%radii%far_chord2, self%radii%taper_scale, chord2, weight)
        else
            weight(1:n_list) = 1
        end if
    end subroutine decide_column

    !> Gain and step of a source that has received all updates before it; Whitaker & Hamill (2002), eqs. 10-13.
    pure subroutine finish_source(j, y, r, self)
        integer, intent(in) :: j     !! the source
        real(dp), intent(in) :: y    !! observed value
        real(dp), intent(in) :: r    !! error variance
        type(source_set), intent(inout) :: self
        real(dp) :: alpha, square
        integer :: m

        square = 0
        !$omp simd reduction(+:square)
        do m = 1, self%n_members
            square = square + self%perturbation(m, j)**2
        end do
        self%variance(j) = square/(self%n_members - 1)
        alpha = 1.0_dp/(1.0_dp + sqrt(r/(self%variance(j) + r)))
        self%gain(j) = alpha/((self%n_members - 1)*(self%variance(j) + r))
        ! Nothing is left of its spread: no effect, also where 1/r overflows.
        if (.not. self%variance(j) > 0.0_dp) self%gain(j) = 0
        self%step(j) = (y - self%mean(j))/alpha
    end subroutine finish_source
end module gcas_ensrf_sources
