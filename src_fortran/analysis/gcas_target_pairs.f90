!> Which sources update the targets of a block, and with what weight.
!>
!> First the sources that can reach a group of blocks are looked for, among them those of a block, then pairs are decided on one by one.
module gcas_target_pairs
    use gcas_ensrf_kernels, only: lane_correlations, n_lanes, n_test
    use gcas_ensrf_sources, only: decide_column, source_set
    use gcas_kinds, only: dp, i8, sp
    use gcas_localization, only: acceptance_limits, localization, localization_bands, localization_weights
    use gcas_pair_kernels, only: dot, drop_unused, half, judge, mark_reach, place_chords, scale_weights, within_ball
    use gcas_partition, only: bounding_ball
    use gcas_taper, only: taper_places
    use gcas_target_blocks, only: block
    implicit none (type, external)
    private

    public :: candidate_list
    public :: find_candidates, find_group, select_candidates, find_pairs

    integer, parameter :: blocks_of_group = 64 !! blocks that share one list of candidates

    !> Sources that can reach a group of blocks, with their places side by side.
    type :: candidate_list
        integer :: n = 0
        integer :: group = 0                      !! of blocks, from 1, where `find_group` made the list
        integer, allocatable :: number(:)         !! among the sources (n)
        real(dp), allocatable :: x(:), y(:), z(:) !! unit vectors (n)
        real(dp), allocatable :: reach(:)         !! chords of the far band's radii (n)
    end type candidate_list

contains

    !> Sources that can reach the group of a block; those of the same group are not looked for again.
    subroutine find_group(local, sources, vectors, order, first, candidates)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        real(dp), intent(in) :: vectors(:, :)
        integer, intent(in) :: order(:) !! targets, neighbours together
        integer, intent(in) :: first    !! where the block begins in `order`
        type(candidate_list), intent(inout) :: candidates
        integer, parameter :: together = n_lanes*blocks_of_group
        integer :: group

        group = 1 + (first - 1)/together
        if (group == candidates%group) return
        call find_candidates(local, sources, vectors, order(1 + (group - 1)*together:min(group*together, size(order))), candidates)
        candidates%group = group
    end subroutine find_group

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
            do lane = 1, n_lanes
                if (work%column(lane) > 0) call decide_lane(local, sources, lane, work)
            end do
        else if (any(needed .and. work%column > 0)) then
            call test_pairs(sources, near, far, work)
        end if
        call drop_unused(work%width, work%n_list, work%list, work%chord2, work%weight, work%n_accepted)
        if (local%tapered) then
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
            call lane_correlations(sources%n_members, work%list(first:first + n_test - 1), work%test_single, sources%test_single, &
                                   correlations)
            do i = first, min(first + n_test - 1, work%n_list)
                row = (i - 1)*work%width
                near_chord2 = sources%radii%near_chord2(work%list(i))
                call judge(work%width - half, signs, near_single, far_single, near_chord2, &
                           work%chord2(row + 1:row + work%width), correlations(:, i - first + 1), work%weight(:, i), &
                           any_doubt, doubtful)
                if (.not. any_doubt) cycle
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
end module gcas_target_pairs
