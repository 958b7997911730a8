!> The serial ensemble square-root filter of Whitaker & Hamill (2002), second phase.
!>
!> Every target (a parameter, or a simulated value) is independent of every other and replays the observations that reach
!> it. Targets are taken in blocks of neighbours; blocks are formed from the places alone, so results do not depend on
!> the number of threads.
module gcas_ensrf
    use gcas_ensrf_kernels, only: n_lanes
    use gcas_ensrf_sources, only: source_set
    use gcas_ensrf_update, only: update_block
    use gcas_kinds, only: dp, i8
    use gcas_localization, only: localization, localization_bands
    use gcas_partition, only: order_by_place
    use gcas_target_blocks, only: allocate_block, block, load_block, relaxation, store_block
    use gcas_target_pairs, only: candidate_list, find_group, find_pairs
    use gcas_work_queue, only: queue, share_neighbours, take
    implicit none (type, external)
    private

    public :: replay_targets

contains

    !> Replay the sources on all targets.
    subroutine replay_targets(local, sources, weights, vectors, sign, own_test, test, moving, relax, n_threads, values, &
                              mean, n_local, n_reach, n_accepted, finite)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        real(dp), intent(in), contiguous :: weights(:, :)   !! weights by the caller (n_observations, n_targets), or empty
        real(dp), intent(in), contiguous :: vectors(:, :)   !! unit vectors (3, n_targets)
        integer, intent(in) :: sign(:)                      !! sign of the correlation that counts; 0: both (n_targets)
        logical, intent(in) :: own_test                     !! the targets themselves are tested, not `test`
        real(dp), intent(in), contiguous :: test(:, :)      !! what stands for the targets in tests (n_members, n_targets)
        integer, intent(in) :: moving(:)                    !! the targets with spread: all that this is about
        type(relaxation), intent(in) :: relax
        integer, intent(in) :: n_threads                    !! threads
        real(dp), intent(inout), contiguous :: values(:, :) !! members (n_members, n_targets)
        real(dp), intent(inout) :: mean(:)                  !! posterior means of these (n_targets)
        integer, intent(inout) :: n_local(:)                !! observations that updated each of these (n_targets)
        integer(i8), intent(out) :: n_reach                 !! pairs in reach
        integer(i8), intent(out) :: n_accepted              !! of them accepted
        logical, intent(out) :: finite                      !! the posterior members and their squares are numbers
        integer, allocatable :: order(:)
        integer :: first, i
        type(block) :: work
        type(candidate_list) :: candidates
        type(queue) :: queues(n_threads)

        n_reach = 0
        n_accepted = 0
        finite = .true.
        order = moving
        if (local%kind == localization_bands) call order_by_place(vectors, n_lanes, n_threads, order)
        call share_neighbours((size(order) + n_lanes - 1)/n_lanes, queues)

        !$omp parallel num_threads(n_threads) default(none) private(candidates, first, i, work) &
        !$omp     shared(local, sources, weights, vectors, sign, own_test, test, relax, values, mean, n_local, order, queues) &
        !$omp     reduction(+:n_reach, n_accepted) reduction(.and.:finite)
        candidates%group = 0
        call allocate_block(sources, work)
        do
            call take(queues, i)
            if (i == 0) exit
            first = 1 + (i - 1)*n_lanes
            call find_group(local, sources, vectors, order, first, candidates)
            call load_block(local, vectors, sign, own_test, test, relax, values, &
                            order(first:min(first + n_lanes - 1, size(order))), work)
            call find_pairs(local, sources, weights, candidates, work, n_reach)
            call update_block(sources, sources%single, work)
            call store_block(relax, work, values, mean, n_local)
            n_accepted = n_accepted + sum(work%n_accepted)
        end do
        finite = finite .and. work%finite
        !$omp end parallel
    end subroutine replay_targets
end module gcas_ensrf
