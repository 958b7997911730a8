!> The serial ensemble square-root filter of Whitaker & Hamill (2002), second phase.
!>
!> Every target (a parameter, or a simulated value) is independent of every other and replays the observations that reach
!> it. Targets are taken in blocks of neighbours; blocks are formed from the places alone, so results do not depend on
!> the number of threads.
module gcas_ensrf
    use gcas_ensrf_blocks, only: allocate_block, block, blocks_of_group, candidate_list, find_candidates, find_pairs, load_block, &
        relaxation, store_block
    use gcas_ensrf_kernels, only: batch_gram, lane_gains, lane_products, lane_products_single, lane_step, &
        lane_step_single, lane_subtract, lane_subtract_single, n_batch, n_lanes, replay_column
    use gcas_ensrf_sources, only: source_set
    use gcas_kinds, only: dp, i8, sp
    use gcas_localization, only: localization, localization_bands
    use gcas_partition, only: order_by_place
    implicit none (type, external)
    private

    public :: replay_targets

    real(dp), parameter :: sparse_share = 0.3_dp   !! below this share of accepted pairs lanes go alone

contains

    !> Replay the sources on all targets.
    subroutine replay_targets(local, sources, weights, vectors, sign, own_test, test, relax, n_threads, values, mean, &
                              n_local, n_reach, n_accepted, n_zero_spread)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        real(dp), intent(in), contiguous :: weights(:, :)   !! weights by the caller (n_observations, n_targets), or empty
        real(dp), intent(in), contiguous :: vectors(:, :)   !! unit vectors (3, n_targets)
        integer, intent(in) :: sign(:)                      !! sign of the correlation that counts; 0: both (n_targets)
        logical, intent(in) :: own_test                     !! the targets themselves are tested, not `test`
        real(dp), intent(in), contiguous :: test(:, :)      !! what stands for the targets in tests (n_members, n_targets)
        type(relaxation), intent(in) :: relax
        integer, intent(in) :: n_threads                    !! threads
        real(dp), intent(inout), contiguous :: values(:, :) !! members (n_members, n_targets)
        real(dp), intent(out) :: mean(:)                    !! posterior means (n_targets)
        integer, intent(out) :: n_local(:)                  !! observations that updated each target (n_targets)
        integer(i8), intent(out) :: n_reach                 !! pairs in reach
        integer(i8), intent(out) :: n_accepted              !! of them accepted
        integer(i8), intent(out) :: n_zero_spread           !! targets without spread
        integer, allocatable :: order(:)
        integer :: first, group, i, last, n_groups, n_targets
        type(block) :: work
        type(candidate_list) :: candidates

        n_targets = size(values, 2)
        n_reach = 0
        n_accepted = 0
        n_zero_spread = 0
        allocate (order(n_targets))
        if (local%kind == localization_bands) then
            call order_by_place(vectors, n_lanes, n_threads, order)
        else
            order = [(i, i=1, n_targets)]
        end if
        n_groups = (n_targets + n_lanes*blocks_of_group - 1)/(n_lanes*blocks_of_group)

        !$omp parallel num_threads(n_threads) default(none) private(candidates, first, last, work) &
        !$omp     shared(local, sources, weights, vectors, sign, own_test, test, relax, values, mean, n_local) &
        !$omp     shared(order, n_targets, n_groups) reduction(+:n_reach, n_accepted, n_zero_spread)
        call allocate_block(sources, work)
        !$omp do schedule(dynamic, 1)
        do group = 1, n_groups
            first = (group - 1)*n_lanes*blocks_of_group + 1
            last = min(group*n_lanes*blocks_of_group, n_targets)
            call find_candidates(local, sources, vectors, order(first:last), candidates)
            do first = first, last, n_lanes
                call load_block(local, vectors, sign, own_test, test, relax, values, &
                                order(first:min(first + n_lanes - 1, last)), work)
                call find_pairs(local, sources, weights, candidates, work, n_reach)
                call update_block(sources, work)
                call store_block(relax, work, values, mean, n_local)
                n_accepted = n_accepted + sum(work%n_accepted)
                n_zero_spread = n_zero_spread + count(.not. work%has_spread .and. work%column > 0)
            end do
        end do
        !$omp end do
        !$omp end parallel
    end subroutine replay_targets

    !> Replay the listed sources on the block: together where many pairs count, else lane by lane.
    subroutine update_block(sources, work)
        type(source_set), intent(in) :: sources
        type(block), intent(inout) :: work
        integer :: lane

        if (work%n_list == 0) return
        if (sum(work%n_accepted) < sparse_share*n_lanes*work%n_list) then
            do lane = 1, n_lanes
                if (work%has_spread(lane)) call update_lane(sources, lane, work)
            end do
        else if (sources%single) then
            call update_lanes_single(sources, work)
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

        ! Without a branch: every source is written, only accepted ones move the end.
        n = 0
        do i = 1, work%n_list
            work%column_list(n + 1) = work%list(i)
            work%column_weight(n + 1) = work%weight(lane, i)
            n = n + merge(1, 0, work%weight(lane, i) > 0.0_dp)
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
        real(dp) :: factors(n_lanes, n_batch), gram(n_batch, n_batch), products(n_lanes, n_batch)
        integer :: batch(n_batch), first, previous(n_batch)

        work%list(work%n_list + 1:work%n_list + n_batch) = 0
        work%weight(:, work%n_list + 1:work%n_list + n_batch) = 0
        do first = 1, work%n_list, n_batch
            batch = work%list(first:first + n_batch - 1)
            ! First the Gram matrix: it reads the sources in long strides and so brings them near.
            call batch_gram(sources%n_members, batch, sources%perturbation, gram)
            if (first == 1) then
                call lane_products(sources%n_members, batch, work%values, sources%perturbation, products)
            else
                call lane_step(sources%n_members, previous, factors, batch, sources%perturbation, work%values, products)
            end if
            call lane_gains(batch, work%weight(:, first:first + n_batch - 1), gram, sources%gain, sources%step, products, &
                            work%mean)
            factors = products
            previous = batch
        end do
        call lane_subtract(sources%n_members, previous, factors, sources%perturbation, work%values)
    end subroutine update_lanes

    !> As `update_lanes` with perturbations in single precision; means, gains and Gram matrices in double.
    subroutine update_lanes_single(sources, work)
        type(source_set), intent(in) :: sources
        type(block), intent(inout) :: work
        real(dp) :: gram(n_batch, n_batch), products(n_lanes, n_batch)
        real(sp) :: factors(n_lanes, n_batch), products_single(n_lanes, n_batch)
        integer :: batch(n_batch), first, previous(n_batch)

        work%values_single = real(work%values, sp)
        work%list(work%n_list + 1:work%n_list + n_batch) = 0
        work%weight(:, work%n_list + 1:work%n_list + n_batch) = 0
        do first = 1, work%n_list, n_batch
            batch = work%list(first:first + n_batch - 1)
            call batch_gram(sources%n_members, batch, sources%perturbation, gram)
            if (first == 1) then
                call lane_products_single(sources%n_members, batch, work%values_single, sources%rounded, products_single)
            else
                call lane_step_single(sources%n_members, previous, factors, batch, sources%rounded, work%values_single, &
                                      products_single)
            end if
            products = products_single
            call lane_gains(batch, work%weight(:, first:first + n_batch - 1), gram, sources%gain, sources%step, products, &
                            work%mean)
            factors = real(products, sp)
            previous = batch
        end do
        call lane_subtract_single(sources%n_members, previous, factors, sources%rounded, work%values_single)
        work%values = work%values_single
    end subroutine update_lanes_single
end module gcas_ensrf
