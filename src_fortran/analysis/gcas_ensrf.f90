!> The serial ensemble square-root filter of Whitaker & Hamill (2002) in two phases.
!>
!> Second phase: every target (a parameter, or a simulated value) is independent of every other and replays the
!> observations that reach it. Targets are taken in blocks of neighbours; blocks are formed from the places alone, so
!> results do not depend on the number of threads.
module gcas_ensrf
    use gcas_ensrf_kernels, only: batch_gram, lane_gains, lane_products, lane_products_single, lane_subtract, n_batch, &
        n_lanes, replay_column
    use gcas_ensrf_sources, only: decide_column, normalise, source_set, split_mean
    use gcas_kinds, only: dp, i8, sp
    use gcas_localization, only: acceptance_limits, localization, localization_bands, localization_none, &
        localization_weights
    use gcas_partition, only: bounding_ball, order_by_place
    use gcas_taper, only: taper_from_chords
    implicit none (type, external)
    private

    public :: relaxation, replay_targets

    !> What is done to the posterior perturbations.
    type :: relaxation
        real(dp) :: inflation = 1 !! factor of the prior perturbations
        real(dp) :: rtpp = 0      !! relaxation to prior perturbations, 0 to 1
        real(dp) :: rtps = 0      !! relaxation to prior spread, 0 to 1
    end type relaxation

    integer, parameter :: blocks_of_group = 64         !! blocks that share one list of candidates
    real(dp), parameter :: sparse_share = 0.3_dp       !! below this share of accepted pairs lanes go alone
    real(dp), parameter :: single_margin = 1.0e-5_dp   !! correlations this close to a limit are taken again in double

    !> Work space of one thread.
    type :: block
        integer :: n = 0                               !! lanes in use
        integer :: column(n_lanes)                     !! targets
        integer :: sign(n_lanes)                       !! sign of the correlation that counts; 0: both
        logical :: has_spread(n_lanes)
        real(dp) :: mean(n_lanes)
        integer :: n_accepted(n_lanes)                 !! observations that update the lane
        integer :: n_places = 0                        !! different places among the lanes
        integer :: place(n_lanes)                      !! place of each lane
        real(dp) :: x(n_lanes), y(n_lanes), z(n_lanes) !! the places
        real(dp), allocatable :: values(:, :)          !! perturbations (n_lanes, n_members)
        real(dp), allocatable :: test(:, :)            !! prior perturbations of length 1 (n_members, n_lanes)
        real(sp), allocatable :: test_single(:, :)     !! the same (n_lanes, n_members)
        integer :: n_list = 0
        integer, allocatable :: list(:)                !! sources in reach of any lane (n_sources + n_batch)
        real(dp), allocatable :: chord2(:, :)          !! squared chords (n_lanes, n_sources); by place
        real(dp), allocatable :: taper(:, :)           !! tapers (n_lanes, n_sources); by place
        real(dp), allocatable :: weight(:, :)          !! weights (n_lanes, n_sources + n_batch)
        real(dp), allocatable :: column_chord2(:), column_weight(:), column_values(:) !! of one lane
        integer, allocatable :: column_list(:)
    end type block

contains

    !> Replay the sources on all targets.
    subroutine replay_targets(local, sources, weights, vectors, sign, own_test, test, relax, n_threads, values, mean, &
                              n_local, n_reach, n_accepted, n_zero_spread)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        real(dp), intent(in), contiguous :: weights(:, :)   !! weights by the caller (n_observations, n_targets), or empty
        real(dp), intent(in), contiguous :: vectors(:, :)   !! unit vectors (3, n_targets), or empty
        integer, intent(in) :: sign(:)              !! sign of the correlation that counts; 0: both (n_targets)
        logical, intent(in) :: own_test             !! the targets themselves are tested, not `test`
        real(dp), intent(in), contiguous :: test(:, :)      !! what stands for the targets in tests (n_members, n_targets)
        type(relaxation), intent(in) :: relax
        integer, intent(in) :: n_threads            !! threads
        real(dp), intent(inout), contiguous :: values(:, :) !! members (n_members, n_targets)
        real(dp), intent(out) :: mean(:)            !! posterior means (n_targets)
        integer, intent(out) :: n_local(:)          !! observations that updated each target (n_targets)
        integer(i8), intent(out) :: n_reach         !! pairs in reach
        integer(i8), intent(out) :: n_accepted      !! of them accepted
        integer(i8), intent(out) :: n_zero_spread   !! targets without spread
        integer, allocatable :: candidates(:), order(:)
        integer :: first, group, i, last, n_candidates, n_groups, n_targets
        type(block) :: work

        n_targets = size(values, 2)
        n_reach = 0
        n_accepted = 0
        n_zero_spread = 0
        allocate (order(n_targets))
        if (local%kind == localization_bands) then
            call order_by_place(vectors, n_lanes, order)
        else
            order = [(i, i=1, n_targets)]
        end if
        n_groups = (n_targets + n_lanes*blocks_of_group - 1)/(n_lanes*blocks_of_group)

        !$omp parallel num_threads(n_threads) default(none) private(candidates, first, last, n_candidates, work) &
        !$omp     shared(local, sources, weights, vectors, sign, own_test, test, relax, values, mean, n_local) &
        !$omp     shared(order, n_targets, n_groups) reduction(+:n_reach, n_accepted, n_zero_spread)
        call allocate_block(sources, work)
        allocate (candidates(sources%n))
        !$omp do schedule(dynamic, 1)
        do group = 1, n_groups
            first = (group - 1)*n_lanes*blocks_of_group + 1
            last = min(group*n_lanes*blocks_of_group, n_targets)
            call find_candidates(local, sources, vectors, order(first:last), n_candidates, candidates)
            do first = first, last, n_lanes
                call load_block(local, vectors, sign, own_test, test, relax, values, &
                                order(first:min(first + n_lanes - 1, last)), work)
                call find_pairs(local, sources, weights, candidates(1:n_candidates), work, n_reach)
                call update_block(local, sources, work)
                call store_block(relax, work, values, mean, n_local)
                n_accepted = n_accepted + sum(work%n_accepted(1:work%n))
                n_zero_spread = n_zero_spread + count(.not. work%has_spread(1:work%n))
            end do
        end do
        !$omp end do
        !$omp end parallel
    end subroutine replay_targets

    subroutine allocate_block(sources, work)
        type(source_set), intent(in) :: sources
        type(block), intent(inout) :: work

        allocate (work%values(n_lanes, sources%n_members), work%test_single(n_lanes, sources%n_members), &
                  work%test(sources%n_members, n_lanes), work%column_values(sources%n_members), &
                  work%list(sources%n + n_batch), work%weight(n_lanes, sources%n + n_batch), &
                  work%chord2(n_lanes, sources%n), work%taper(n_lanes, sources%n), work%column_chord2(sources%n), &
                  work%column_weight(sources%n), work%column_list(sources%n))
    end subroutine allocate_block

    !> Sources that can reach any target of a group.
    subroutine find_candidates(local, sources, vectors, chosen, n_candidates, candidates)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        real(dp), intent(in) :: vectors(:, :)
        integer, intent(in) :: chosen(:)
        integer, intent(out) :: n_candidates
        integer, intent(inout) :: candidates(:)
        real(dp) :: centre(3), radius
        integer :: k

        if (local%kind /= localization_bands) then
            n_candidates = sources%n
            candidates = [(k, k=1, sources%n)]
            return
        end if
        call bounding_ball(vectors, chosen, centre, radius)
        radius = (radius + local%reach())**2
        n_candidates = 0
        do k = 1, sources%n
            if ((sources%x(k) - centre(1))**2 + (sources%y(k) - centre(2))**2 + (sources%z(k) - centre(3))**2 &
                <= radius) then
                n_candidates = n_candidates + 1
                candidates(n_candidates) = k
            end if
        end do
    end subroutine find_candidates

    !> Take up to `n_lanes` targets into the block.
    subroutine load_block(local, vectors, sign, own_test, test, relax, values, chosen, work)
        type(localization), intent(in) :: local
        real(dp), intent(in), contiguous :: vectors(:, :)
        integer, intent(in) :: sign(:)
        logical, intent(in) :: own_test
        real(dp), intent(in), contiguous :: test(:, :)
        type(relaxation), intent(in) :: relax
        real(dp), intent(in), contiguous :: values(:, :)
        integer, intent(in) :: chosen(:)
        type(block), intent(inout) :: work
        real(dp) :: unused
        logical :: has_spread
        integer :: lane

        work%n = size(chosen)
        work%column(1:work%n) = chosen
        work%values = 0
        work%mean = 0
        work%sign = 0
        work%test = 0
        do lane = 1, work%n
            call split_mean(values(:, chosen(lane)), work%mean(lane), work%column_values, work%has_spread(lane))
            work%values(lane, :) = relax%inflation*work%column_values
            work%sign(lane) = sign(chosen(lane))
            if (local%kind == localization_bands) then
                if (.not. own_test) call split_mean(test(:, chosen(lane)), unused, work%column_values, has_spread)
                call normalise(work%column_values)
                work%test(:, lane) = work%column_values
            end if
        end do
        if (local%kind == localization_bands) then
            work%test_single = real(transpose(work%test), sp)
            call load_places(vectors, work)
        end if
    end subroutine load_block

    !> The different places of a block: components that share a cell share its distances.
    subroutine load_places(vectors, work)
        real(dp), intent(in), contiguous :: vectors(:, :)
        type(block), intent(inout) :: work
        integer :: lane, place

        work%n_places = 0
        work%place = 1
        do lane = 1, work%n
            associate (vector => vectors(:, work%column(lane)))
                do place = 1, work%n_places
                    if (work%x(place) == vector(1) .and. work%y(place) == vector(2) &
                        .and. work%z(place) == vector(3)) exit
                end do
                if (place > work%n_places) then
                    work%n_places = place
                    work%x(place) = vector(1)
                    work%y(place) = vector(2)
                    work%z(place) = vector(3)
                end if
                work%place(lane) = place
            end associate
        end do
        do place = work%n_places + 1, n_lanes
            work%x(place) = work%x(1)
            work%y(place) = work%y(1)
            work%z(place) = work%z(1)
        end do
    end subroutine load_places

    !> List the sources in reach of the block, and give every pair its weight (0: out of reach, or rejected).
    subroutine find_pairs(local, sources, weights, candidates, work, n_reach)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        real(dp), intent(in), contiguous :: weights(:, :)
        integer, intent(in) :: candidates(:)
        type(block), intent(inout) :: work
        integer(i8), intent(inout) :: n_reach
        integer :: i, k, lane

        select case (local%kind)
        case (localization_none)
            work%n_list = sources%n
            work%list(1:work%n_list) = candidates
            work%weight(:, 1:work%n_list) = 1
            n_reach = n_reach + int(work%n, i8)*work%n_list
        case (localization_weights)
            work%n_list = 0
            do i = 1, size(candidates)
                k = sources%number(candidates(i))
                work%weight(:, work%n_list + 1) = 0
                do lane = 1, work%n
                    work%weight(lane, work%n_list + 1) = weights(k, work%column(lane))
                end do
                if (any(work%weight(:, work%n_list + 1) > 0.0_dp)) then
                    work%n_list = work%n_list + 1
                    work%list(work%n_list) = candidates(i)
                end if
            end do
            n_reach = n_reach + int(work%n, i8)*size(candidates)
        case default
            call measure(local, sources, candidates, work, n_reach)
            call decide(local, sources, work)
        end select
        do lane = 1, work%n
            work%n_accepted(lane) = count(work%weight(lane, 1:work%n_list) > 0.0_dp)
        end do
    end subroutine find_pairs

    !> Squared chords between the places of the block and the sources in reach of any; weight 1 in reach, else 0.
    subroutine measure(local, sources, candidates, work, n_reach)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        integer, intent(in) :: candidates(:)
        type(block), intent(inout) :: work
        integer(i8), intent(inout) :: n_reach
        real(dp) :: smallest
        integer :: i, k, n, place

        n = 0
        do i = 1, size(candidates)
            k = candidates(i)
            smallest = huge(1.0_dp)
            !$omp simd reduction(min:smallest)
            do place = 1, n_lanes
                work%chord2(place, n + 1) = (work%x(place) - sources%x(k))**2 + (work%y(place) - sources%y(k))**2 &
                                            + (work%z(place) - sources%z(k))**2
                smallest = min(smallest, work%chord2(place, n + 1))
            end do
            if (smallest < local%far_chord2) then
                n = n + 1
                work%list(n) = k
            end if
        end do
        work%n_list = n
        do i = 1, n
            work%weight(:, i) = merge(1.0_dp, 0.0_dp, work%chord2(work%place, i) < local%far_chord2)
            work%weight(work%n + 1:, i) = 0
        end do
        n_reach = n_reach + nint(sum(work%weight(:, 1:n)), i8)
    end subroutine measure

    !> Test the correlations of the pairs in reach and taper the accepted ones.
    subroutine decide(local, sources, work)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        type(block), intent(inout) :: work
        real(dp) :: far(n_lanes), near(n_lanes)
        logical :: needed(n_lanes)
        integer :: i, lane

        do lane = 1, n_lanes
            call acceptance_limits(local, work%sign(lane), near(lane), far(lane), needed(lane))
        end do
        if (local%max_sources > 0) then
            do lane = 1, work%n
                call decide_lane(local, sources, lane, work)
            end do
            return
        end if
        if (any(needed(1:work%n))) call test_pairs(local, sources, near, far, work)
        if (local%tapered) then
            call taper_from_chords(n_lanes*work%n_list, local%half_width, work%chord2, work%taper)
            do i = 1, work%n_list
                work%weight(:, i) = work%weight(:, i)*work%taper(work%place, i)
            end do
        end if
    end subroutine decide

    !> One lane by itself, where the number of its observations is limited.
    subroutine decide_lane(local, sources, lane, work)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        integer, intent(in) :: lane
        type(block), intent(inout) :: work
        integer :: i, n, next

        n = 0
        do i = 1, work%n_list
            if (work%weight(lane, i) > 0.0_dp) then
                n = n + 1
                work%column_list(n) = work%list(i)
                work%column_chord2(n) = work%chord2(work%place(lane), i)
            end if
        end do
        call decide_column(local, sources, work%sign(lane), work%test(:, lane), n, work%column_list, &
                           work%column_chord2, work%column_weight)
        next = 1
        do i = 1, work%n_list
            work%weight(lane, i) = 0
            if (next > n) cycle
            if (work%column_list(next) == work%list(i)) then
                work%weight(lane, i) = work%column_weight(next)
                next = next + 1
            end if
        end do
    end subroutine decide_lane

    !> Correlations of the whole block in single precision; those within a margin of their limit again in double.
    subroutine test_pairs(local, sources, near, far, work)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        real(dp), intent(in) :: near(n_lanes)
        real(dp), intent(in) :: far(n_lanes)
        type(block), intent(inout) :: work
        real(sp) :: products(n_lanes, n_batch)
        real(dp) :: limit, r
        integer :: first, i, lane

        work%list(work%n_list + 1:work%n_list + n_batch) = 0
        do first = 1, work%n_list, n_batch
            call lane_products_single(sources%n_members, work%list(first:first + n_batch - 1), work%test_single, &
                                      sources%test_single, products)
            do i = first, min(first + n_batch - 1, work%n_list)
                do lane = 1, work%n
                    if (.not. work%weight(lane, i) > 0.0_dp) cycle
                    limit = merge(near(lane), far(lane), work%chord2(work%place(lane), i) < local%near_chord2)
                    r = products(lane, i - first + 1)
                    if (abs(abs(r) - abs(limit)) < single_margin) &
                        r = dot_product(work%test(:, lane), sources%test(:, work%list(i)))
                    r = merge(work%sign(lane)*r, abs(r), work%sign(lane) /= 0)
                    if (.not. r > limit) work%weight(lane, i) = 0
                end do
            end do
        end do
    end subroutine test_pairs

    !> Replay the listed sources on the block: together where most pairs count, else lane by lane.
    subroutine update_block(local, sources, work)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        type(block), intent(inout) :: work
        integer :: i, lane, n

        n = 0
        do i = 1, work%n_list
            if (any(work%weight(:, i) > 0.0_dp)) then
                n = n + 1
                if (n < i) then
                    work%list(n) = work%list(i)
                    work%weight(:, n) = work%weight(:, i)
                end if
            end if
        end do
        work%n_list = n
        if (sum(work%n_accepted(1:work%n)) < sparse_share*n_lanes*n) then
            do lane = 1, work%n
                if (work%has_spread(lane)) call update_lane(sources, lane, work)
            end do
        else
            call update_lanes(sources, work)
        end if
    end subroutine update_block

    !> Replay on one lane.
    subroutine update_lane(sources, lane, work)
        type(source_set), intent(in) :: sources
        integer, intent(in) :: lane
        type(block), intent(inout) :: work
        integer :: i, n

        n = 0
        do i = 1, work%n_list
            if (work%weight(lane, i) > 0.0_dp) then
                n = n + 1
                work%column_list(n) = work%list(i)
                work%column_weight(n) = work%weight(lane, i)
            end if
        end do
        work%column_values = work%values(lane, :)
        call replay_column(n, work%column_list, work%column_weight, sources%perturbation, sources%gain, sources%step, &
                           work%column_values, work%mean(lane))
        work%values(lane, :) = work%column_values
    end subroutine update_lane

    !> Replay on all lanes together, a batch of sources at a time.
    subroutine update_lanes(sources, work)
        type(source_set), intent(in) :: sources
        type(block), intent(inout) :: work
        real(dp) :: gram(n_batch, n_batch), products(n_lanes, n_batch)
        integer :: first

        work%list(work%n_list + 1:work%n_list + n_batch) = 0
        work%weight(:, work%n_list + 1:work%n_list + n_batch) = 0
        do first = 1, work%n_list, n_batch
            associate (batch => work%list(first:first + n_batch - 1))
                call lane_products(sources%n_members, batch, work%values, sources%perturbation, products)
                call batch_gram(sources%n_members, batch, sources%perturbation, gram)
                call lane_gains(batch, work%weight(:, first:first + n_batch - 1), gram, sources%gain, sources%step, &
                                products, work%mean)
                call lane_subtract(sources%n_members, batch, products, sources%perturbation, work%values)
            end associate
        end do
    end subroutine update_lanes

    !> Put the members back, relaxed as asked for; what nothing updated stays as it was, to the bit.
    subroutine store_block(relax, work, values, mean, n_local)
        type(relaxation), intent(in) :: relax
        type(block), intent(inout) :: work
        real(dp), intent(inout), contiguous :: values(:, :)
        real(dp), intent(inout) :: mean(:)
        integer, intent(inout) :: n_local(:)
        real(dp) :: posterior_spread, prior_mean, prior_spread
        logical :: has_spread
        integer :: column, lane

        do lane = 1, work%n
            column = work%column(lane)
            n_local(column) = work%n_accepted(lane)
            mean(column) = work%mean(lane)
            if (n_local(column) == 0 .or. .not. work%has_spread(lane)) cycle
            if (relax%rtpp > 0.0_dp .or. relax%rtps > 0.0_dp) then
                call split_mean(values(:, column), prior_mean, work%column_values, has_spread)
                work%column_values = relax%inflation*work%column_values
                prior_spread = sqrt(sum(work%column_values**2))
                work%values(lane, :) = (1.0_dp - relax%rtpp)*work%values(lane, :) + relax%rtpp*work%column_values
                posterior_spread = sqrt(sum(work%values(lane, :)**2))
                if (posterior_spread > 0.0_dp) work%values(lane, :) = work%values(lane, :) &
                    *(1.0_dp + relax%rtps*(prior_spread - posterior_spread)/posterior_spread)
            end if
            values(:, column) = work%mean(lane) + work%values(lane, :)
        end do
    end subroutine store_block
end module gcas_ensrf
