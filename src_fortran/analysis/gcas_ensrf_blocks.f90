!> Blocks of targets: taking them in, finding the sources that update them, putting them back.
module gcas_ensrf_blocks
    use gcas_ensrf_kernels, only: lane_correlations, n_lanes, n_test
    use gcas_ensrf_sources, only: decide_column, normalise, source_set, split_mean
    use gcas_kinds, only: dp, i8, sp
    use gcas_localization, only: acceptance_limits, localization, localization_bands, localization_weights
    use gcas_pair_kernels, only: dot, drop_unused, half, judge, mark_reach, place_chords, scale_weights, within_ball
    use gcas_partition, only: bounding_ball
    use gcas_taper, only: taper_places
    implicit none (type, external)
    private

    public :: block, relaxation, candidate_list
    public :: allocate_block, allocate_lists, allocate_targets, exchange_lists
    public :: seat, load_block, find_candidates, select_candidates, find_pairs, store_block
    public :: blocks_of_group

    integer, parameter :: blocks_of_group = 64 !! blocks that share one list of candidates

    !> What is done to the perturbations.
    type :: relaxation
        real(dp) :: inflation = 1 !! factor of the prior perturbations
        real(dp) :: rtpp = 0      !! relaxation to prior perturbations, 0 to 1
        real(dp) :: rtps = 0      !! relaxation to prior spread, 0 to 1
    end type relaxation

    !> Sources that can reach a group of blocks, with their places side by side.
    type :: candidate_list
        integer :: n = 0
        integer, allocatable :: number(:)
        real(dp), allocatable :: x(:), y(:), z(:), reach(:)
    end type candidate_list

    !> Work space of one thread.
    type :: block
        integer :: column(n_lanes)                 !! targets; 0: empty lane
        real(dp) :: filled(n_lanes)                !! 1 for lanes in use, else 0
        integer :: sign(n_lanes)                   !! sign of the correlation that counts; 0: both
        logical :: has_spread(n_lanes)
        logical :: flat = .false.                  !! no lane has any spread: its pairs are counted, nothing else
        real(dp) :: mean(n_lanes)
        integer :: n_accepted(n_lanes)             !! observations that update the lane
        integer :: width = n_lanes                 !! places: `n_lanes`, or half of it if lanes share places in pairs
        real(dp) :: places(n_lanes, 3)             !! unit vectors of the places
        real(dp), allocatable :: values(:, :)      !! perturbations (n_lanes, n_members)
        real(sp), allocatable :: values_single(:, :) !! the same, where single precision is asked for
        real(dp), allocatable :: test(:, :)        !! prior perturbations of length 1 (n_members, n_lanes)
        real(sp), allocatable :: test_single(:, :) !! the same (n_lanes, n_members)
        integer :: n_list = 0
        integer, allocatable :: list(:)            !! sources that update any lane (n_sources + n_test)
        real(dp), allocatable :: chord2(:)         !! squared chords (width, n_list), in one row
        real(dp), allocatable :: taper(:)          !! tapers (width, n_list), in one row
        real(dp), allocatable :: weight(:, :)      !! weights (n_lanes, n_sources + n_test)
        real(dp), allocatable :: column_chord2(:), column_weight(:), column_values(:) !! of one lane
        integer, allocatable :: column_list(:)
    end type block

contains

    !> Work space for one block of targets at a time.
    subroutine allocate_block(sources, work)
        type(source_set), intent(in) :: sources
        type(block), intent(inout) :: work

        call allocate_targets(sources%n_members, work)
        call allocate_lists(sources%n, work)
        allocate (work%test(sources%n_members, n_lanes))
        if (sources%single) allocate (work%values_single(n_lanes, sources%n_members))
    end subroutine allocate_block

    !> The part of a block that belongs to its targets.
    subroutine allocate_targets(n_members, work)
        integer, intent(in) :: n_members
        type(block), intent(inout) :: work

        allocate (work%values(n_lanes, n_members), work%column_values(n_members))
    end subroutine allocate_targets

    !> The part of a block that belongs to the pairs with at most `n_sources`.
    subroutine allocate_lists(n_sources, work)
        integer, intent(in) :: n_sources
        type(block), intent(inout) :: work

        allocate (work%list(n_sources + n_test), work%weight(n_lanes, n_sources + n_test), &
                  work%chord2(n_lanes*n_sources), work%taper(n_lanes*n_sources), work%column_chord2(n_sources), &
                  work%column_weight(n_sources + 1), work%column_list(n_sources + 1))
    end subroutine allocate_lists

    !> Let two blocks exchange what `allocate_lists` made.
    subroutine exchange_lists(one, other)
        type(block), intent(inout) :: one
        type(block), intent(inout) :: other
        integer, allocatable :: numbers(:)
        real(dp), allocatable :: row(:), rows(:, :)

        call move_alloc(one%list, numbers)
        call move_alloc(other%list, one%list)
        call move_alloc(numbers, other%list)
        call move_alloc(one%column_list, numbers)
        call move_alloc(other%column_list, one%column_list)
        call move_alloc(numbers, other%column_list)
        call move_alloc(one%weight, rows)
        call move_alloc(other%weight, one%weight)
        call move_alloc(rows, other%weight)
        call exchange(one%chord2, other%chord2)
        call exchange(one%taper, other%taper)
        call exchange(one%column_chord2, other%column_chord2)
        call exchange(one%column_weight, other%column_weight)

    contains

        subroutine exchange(a, b)
            real(dp), allocatable, intent(inout) :: a(:), b(:)

            call move_alloc(a, row)
            call move_alloc(b, a)
            call move_alloc(row, b)
        end subroutine exchange
    end subroutine exchange_lists

    !> Take up to `n_lanes` targets into the block.
    subroutine load_block(local, vectors, sign, own_test, test, relax, values, chosen, work)
        type(localization), intent(in) :: local
        real(dp), intent(in), contiguous :: vectors(:, :) !! unit vectors of all targets (3, n_targets)
        integer, intent(in) :: sign(:)                    !! sign of the correlation that counts (n_targets)
        logical, intent(in) :: own_test                   !! the targets themselves are tested, not `test`
        real(dp), intent(in), contiguous :: test(:, :)    !! what stands for the targets in tests
        type(relaxation), intent(in) :: relax
        real(dp), intent(in), contiguous :: values(:, :)  !! members (n_members, n_targets)
        integer, intent(in) :: chosen(:)                  !! the targets of the block
        type(block), intent(inout) :: work
        logical :: tested
        integer :: column, lane

        call seat(local%kind == localization_bands, vectors, chosen, work)
        work%mean = 0
        work%sign = 0
        work%has_spread = .false.
        tested = .false.
        do lane = 1, n_lanes
            column = work%column(lane)
            if (column == 0) then
                work%values(lane, :) = 0
                cycle
            end if
            call split_mean(values(:, column), work%mean(lane), work%column_values, work%has_spread(lane))
            work%values(lane, :) = relax%inflation*work%column_values
            work%sign(lane) = sign(column)
            tested = tested .or. needs_correlations(local, work%sign(lane))
        end do
        work%flat = .not. any(work%has_spread)
        if (tested .and. .not. work%flat) call load_tests(own_test, test, values, work)
    end subroutine load_block

    !> What the correlations of a block's targets are taken with.
    subroutine load_tests(own_test, test, values, work)
        logical, intent(in) :: own_test                  !! the targets themselves are tested, not `test`
        real(dp), intent(in), contiguous :: test(:, :)   !! what stands for the targets in tests
        real(dp), intent(in), contiguous :: values(:, :) !! members (n_members, n_targets)
        type(block), intent(inout) :: work
        real(dp) :: unused
        logical :: has_spread
        integer :: lane

        if (.not. allocated(work%test)) allocate (work%test(size(values, 1), n_lanes))
        do lane = 1, n_lanes
            if (work%column(lane) == 0) then
                work%test(:, lane) = 0
                cycle
            end if
            if (own_test) then
                call split_mean(values(:, work%column(lane)), unused, work%test(:, lane), has_spread)
            else
                call split_mean(test(:, work%column(lane)), unused, work%test(:, lane), has_spread)
            end if
            call normalise(work%test(:, lane))
        end do
        work%test_single = real(transpose(work%test), sp)
    end subroutine load_tests

    !> Whether decisions on a target's pairs need their correlations.
    pure logical function needs_correlations(local, sign)
        type(localization), intent(in) :: local
        integer, intent(in) :: sign !! sign that counts; 0: both
        real(dp) :: far, near

        needs_correlations = .false.
        if (local%kind == localization_bands) call acceptance_limits(local, sign, near, far, needs_correlations)
    end function needs_correlations

    !> Give every target a lane. Targets that share a place in pairs, such as two components of a cell, go to lanes half
    !> a block apart; else every target has a place of its own.
    subroutine seat(by_place, vectors, chosen, work)
        logical, intent(in) :: by_place
        real(dp), intent(in), contiguous :: vectors(:, :)
        integer, intent(in) :: chosen(:)
        type(block), intent(inout) :: work
        integer :: first(half), i, n_places, place, second(half)

        work%width = n_lanes
        work%column = 0
        work%column(1:size(chosen)) = chosen
        if (by_place) then
            n_places = 0
            first = 0
            second = 0
            do i = 1, size(chosen)
                do place = 1, n_places
                    if (all(vectors(:, chosen(i)) == vectors(:, first(place)))) exit
                end do
                if (place > n_places) then
                    if (place > half) exit
                    n_places = place
                    first(place) = chosen(i)
                else
                    if (second(place) > 0) exit
                    second(place) = chosen(i)
                end if
            end do
            if (i > size(chosen)) then
                work%width = half
                work%column = [first, second]
            end if
            do i = 1, n_lanes
                work%places(i, :) = vectors(:, merge(work%column(i), chosen(1), work%column(i) > 0))
            end do
        end if
        work%filled = merge(1.0_dp, 0.0_dp, work%column > 0)
    end subroutine seat

    !> Sources that can reach any target of a group.
    subroutine find_candidates(local, sources, vectors, chosen, candidates)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        real(dp), intent(in) :: vectors(:, :)
        integer, intent(in) :: chosen(:)
        type(candidate_list), intent(inout) :: candidates
        integer, allocatable :: all_numbers(:), inside(:)
        real(dp) :: centre(3), radius
        integer :: k, n_inside

        all_numbers = [(k, k=1, sources%n)]
        if (local%kind /= localization_bands) then
            call select_candidates(local, sources, all_numbers, candidates)
            return
        end if
        allocate (inside(sources%n))
        call bounding_ball(vectors, chosen, centre, radius)
        call within_ball(sources%n, sources%x, sources%y, sources%z, all_numbers, centre, &
                         (radius + sources%radii%reach)**2, n_inside, inside)
        call select_candidates(local, sources, inside(1:n_inside), candidates)
    end subroutine find_candidates

    !> Make some sources the candidates.
    subroutine select_candidates(local, sources, numbers, candidates)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        integer, intent(in) :: numbers(:)
        type(candidate_list), intent(inout) :: candidates

        candidates%n = size(numbers)
        candidates%number = numbers
        if (local%kind /= localization_bands) return
        candidates%x = sources%x(candidates%number)
        candidates%y = sources%y(candidates%number)
        candidates%z = sources%z(candidates%number)
        candidates%reach = sources%radii%reach(candidates%number)
    end subroutine select_candidates

    !> List the sources that update the block, and give every pair its weight (0: out of reach, or rejected).
    subroutine find_pairs(local, sources, weights, candidates, work, n_reach)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        real(dp), intent(in), contiguous :: weights(:, :) !! weights by the caller (n_observations, n_targets)
        type(candidate_list), intent(in) :: candidates
        type(block), intent(inout) :: work
        integer(i8), intent(inout) :: n_reach             !! pairs in reach
        integer :: i, lane

        select case (local%kind)
        case (localization_bands)
            call measure(sources, candidates, work, n_reach)
            call decide(local, sources, work)
            return
        case (localization_weights)
            work%weight(:, 1:candidates%n) = 0
            do lane = 1, n_lanes
                if (work%column(lane) == 0) cycle
                do i = 1, candidates%n
                    work%weight(lane, i) = weights(sources%number(candidates%number(i)), work%column(lane))
                end do
            end do
        case default
            work%weight(:, 1:candidates%n) = spread(work%filled, 2, candidates%n)
        end select
        work%n_list = candidates%n
        work%list(1:work%n_list) = candidates%number
        n_reach = n_reach + count(work%column > 0)*int(candidates%n, i8)
        call drop_unused(work%width, work%n_list, work%list, work%chord2, work%weight, work%n_accepted)
    end subroutine find_pairs

    !> Squared chords between the places of the block and the sources in reach of any; weight 1 in reach, else 0.
    subroutine measure(sources, candidates, work, n_reach)
        type(source_set), intent(in) :: sources
        type(candidate_list), intent(in) :: candidates
        type(block), intent(inout) :: work
        integer(i8), intent(inout) :: n_reach
        real(dp) :: centre(3), radius

        centre = sum(work%places(1:work%width, :), dim=1)/work%width
        radius = sqrt(maxval((work%places(:, 1) - centre(1))**2 + (work%places(:, 2) - centre(2))**2 &
                             + (work%places(:, 3) - centre(3))**2))
        work%column_chord2(1:candidates%n) = ((radius + candidates%reach)*(1.0_dp + 1.0e-12_dp))**2
        call within_ball(candidates%n, candidates%x, candidates%y, candidates%z, candidates%number, centre, work%column_chord2, &
                         work%n_list, work%list)
        call place_chords(work%width, work%n_list, work%list, work%places, sources%x, sources%y, sources%z, work%chord2)
        call mark_reach(work%width, work%n_list, work%list, sources%radii%far_chord2, work%filled, work%chord2, work%weight, &
                        n_reach)
    end subroutine measure

    !> Test the correlations of the pairs in reach and taper the accepted ones.
    subroutine decide(local, sources, work)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        type(block), intent(inout) :: work
        real(dp) :: far(n_lanes), near(n_lanes)
        logical :: needed(n_lanes)
        integer :: lane

        do lane = 1, n_lanes
            call acceptance_limits(local, work%sign(lane), near(lane), far(lane), needed(lane))
        end do
        if (local%max_sources > 0) then
            if (work%flat) work%test = 0
            do lane = 1, n_lanes
                if (work%column(lane) > 0) call decide_lane(local, sources, lane, work)
            end do
        else if (any(needed .and. work%column > 0)) then
            call test_pairs(sources, near, far, work)
        end if
        call drop_unused(work%width, work%n_list, work%list, work%chord2, work%weight, work%n_accepted)
        if (local%tapered .and. .not. work%flat) then
            call taper_places(work%width, work%n_list, work%list, sources%radii%far_chord2, sources%radii%taper_scale, &
                              work%chord2, work%taper)
            call scale_weights(work%width, work%n_list, work%taper, work%weight)
        end if
    end subroutine decide

    !> One lane by itself, where the number of its observations is limited.
    subroutine decide_lane(local, sources, lane, work)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        integer, intent(in) :: lane
        type(block), intent(inout) :: work
        integer :: i, n, next, place

        place = 1 + mod(lane - 1, work%width)
        n = 0
        do i = 1, work%n_list
            if (work%weight(lane, i) > 0.0_dp) then
                n = n + 1
                work%column_list(n) = work%list(i)
                work%column_chord2(n) = work%chord2(place + (i - 1)*work%width)
            end if
        end do
        call decide_column(local, sources, work%sign(lane), work%test(:, lane), n, work%column_list, &
                           work%column_chord2, work%column_weight)
        next = 1
        do i = 1, work%n_list
            work%weight(lane, i) = 0
            if (next > n) cycle
            if (work%column_list(next) == work%list(i)) then
                work%weight(lane, i) = 1
                next = next + 1
            end if
        end do
    end subroutine decide_lane

    !> Correlations of the whole block in single precision; those within a margin of their limit again in double.
    subroutine test_pairs(sources, near, far, work)
        type(source_set), intent(in) :: sources
        real(dp), intent(in) :: near(n_lanes)
        real(dp), intent(in) :: far(n_lanes)
        type(block), intent(inout) :: work
        real(sp) :: correlations(n_lanes, n_test), far_single(n_lanes), near_single(n_lanes), signs(n_lanes)
        real(dp) :: doubtful(n_lanes), limit, near_chord2, value
        logical :: any_doubt
        integer :: first, i, lane, row

        near_single = real(near, sp)
        far_single = real(far, sp)
        signs = real(work%sign, sp)
        work%list(work%n_list + 1:work%n_list + n_test) = 0
        correlations = 0
        do first = 1, work%n_list, n_test
            if (.not. work%flat) call lane_correlations(sources%n_members, work%list(first:first + n_test - 1), &
                                                        work%test_single, sources%test_single, correlations)
            do i = first, min(first + n_test - 1, work%n_list)
                row = (i - 1)*work%width
                near_chord2 = sources%radii%near_chord2(work%list(i))
                call judge(work%width - half, signs, near_single, far_single, near_chord2, &
                           work%chord2(row + 1:row + work%width), correlations(:, i - first + 1), work%weight(:, i), &
                           any_doubt, doubtful)
                if (work%flat .or. .not. any_doubt) cycle
                do lane = 1, n_lanes
                    if (.not. doubtful(lane) > 0.0_dp) cycle
                    limit = merge(near(lane), far(lane), &
                                  work%chord2(row + 1 + mod(lane - 1, work%width)) < near_chord2)
                    value = dot(work%test(:, lane), sources%test(:, work%list(i)))
                    value = merge(abs(value), work%sign(lane)*value, work%sign(lane) == 0)
                    work%weight(lane, i) = merge(doubtful(lane), 0.0_dp, value > limit)
                end do
            end do
        end do
    end subroutine test_pairs

    !> Put the members back, relaxed as asked for; what nothing updated stays as it was, to the bit.
    subroutine store_block(relax, work, values, mean, n_local)
        type(relaxation), intent(in) :: relax
        type(block), intent(inout) :: work
        real(dp), intent(inout), contiguous :: values(:, :) !! members (n_members, n_targets)
        real(dp), intent(inout) :: mean(:)                  !! means (n_targets)
        integer, intent(inout) :: n_local(:)                !! observations that updated each target (n_targets)
        real(dp) :: posterior_spread, prior_mean, prior_spread
        logical :: has_spread
        integer :: column, lane

        do lane = 1, n_lanes
            column = work%column(lane)
            if (column == 0) cycle
            n_local(column) = work%n_accepted(lane)
            mean(column) = work%mean(lane)
            if (n_local(column) == 0 .or. .not. work%has_spread(lane)) cycle
            if (relax%rtpp > 0.0_dp .or. relax%rtps > 0.0_dp) then
                call split_mean(values(:, column), prior_mean, work%column_values, has_spread)
                work%column_values = relax%inflation*work%column_values
                prior_spread = sqrt(dot(work%column_values, work%column_values))
                work%values(lane, :) = (1.0_dp - relax%rtpp)*work%values(lane, :) + relax%rtpp*work%column_values
                posterior_spread = sqrt(sum(work%values(lane, :)**2))
                if (posterior_spread > 0.0_dp) work%values(lane, :) = work%values(lane, :) &
                    *(1.0_dp + relax%rtps*(prior_spread - posterior_spread)/posterior_spread)
            end if
            values(:, column) = work%mean(lane) + work%values(lane, :)
        end do
    end subroutine store_block
end module gcas_ensrf_blocks
