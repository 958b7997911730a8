!> The serial ensemble square-root filter of Whitaker & Hamill (2002), first phase: assimilation in the space of the
!> observations.
!>
!> The observations are assimilated in chunks. Inside a chunk they go one after the other; a finished chunk is applied to
!> all simulated values at once, in blocks of neighbours, as the second phase does with parameters. So every simulated
!> value has received all earlier observations when its own turn comes, and all of them at the end. Chunks and blocks are
!> formed from order and places alone, so results do not depend on the number of threads.
module gcas_ensrf_observations
    use gcas_ensrf_kernels, only: n_lanes, replay_column
    use gcas_ensrf_sources, only: earlier_sources, finish_source, source_set
    use gcas_ensrf_update, only: update_block
    use gcas_kinds, only: dp, i8, sp
    use gcas_localization, only: localization, localization_bands
    use gcas_partition, only: order_by_place
    use gcas_target_blocks, only: allocate_lists, allocate_targets, block, exchange_lists, load_block, relaxation, store_block
    use gcas_target_pairs, only: candidate_list, find_pairs, select_candidates
    use gcas_work_queue, only: queue, refill, share_in_turn, take
    implicit none (type, external)
    private

    public :: assimilate_sources

    integer, parameter :: chunk = 128 !! observations of a chunk

    !> Simulated values that are updated together.
    type :: held_block
        type(block) :: lanes
        integer :: source(n_lanes) = 0     !! number of each lane among the sources; 0: not assimilated
        integer :: n_accepted(n_lanes) = 0 !! sources that updated each lane
    end type held_block

    !> What updates the observations of a chunk from inside of it, or from anywhere if their number is limited.
    type :: chunk_lists
        integer, allocatable :: list(:, :)    !! sources (n, chunk)
        real(dp), allocatable :: weight(:, :) !! their weights (n, chunk)
        integer :: n_list(chunk) = 0
        integer :: n_before(chunk) = 0        !! of them before the chunk: applied already
    end type chunk_lists

contains

    !> Assimilate all observations. Where the number of observations per target is not limited `hx` becomes posterior.
    subroutine assimilate_sources(local, weights, vectors, sign, hx_test, relax, y, r, n_threads, self, hx)
        type(localization), intent(in) :: local
        real(dp), intent(in), contiguous :: weights(:, :) !! weights by the caller (source, target), in the caller's order
        real(dp), intent(in), contiguous :: vectors(:, :) !! unit vectors of all observations (3, n_observations)
        integer, intent(in) :: sign(:)             !! sign of the correlation that counts; 0: both (n_observations)
        real(dp), intent(in), contiguous :: hx_test(:, :) !! what stands for the targets in tests (n_members, n_observations)
        type(relaxation), intent(in) :: relax
        real(dp), intent(in) :: y(:)               !! observed values, in the caller's order
        real(dp), intent(in) :: r(:)               !! error variances, in the caller's order
        integer, intent(in) :: n_threads           !! threads
        type(source_set), intent(inout) :: self
        real(dp), intent(inout), contiguous :: hx(:, :) !! simulated values (n_members, n_observations)
        type(held_block), allocatable :: held(:)
        type(queue), allocatable :: queues(:)
        type(chunk_lists) :: inner(2)
        type(block) :: lists
        type(candidate_list) :: candidates
        real(dp), allocatable :: chord2(:), mean(:)
        integer, allocatable :: n_local(:), numbers(:), order(:), position(:)
        integer :: first, i, last, n_blocks, now
        integer(i8) :: unused
        logical :: limited

        limited = local%max_sources > 0
        numbers = [(i, i=1, self%n)]
        allocate (order(size(hx, 2)), position(size(hx, 2)), mean(size(hx, 2)), n_local(size(hx, 2)))
        position = 0
        position(self%number) = numbers
        order = [(i, i=1, size(hx, 2))]
        if (local%kind == localization_bands .and. .not. limited) call order_by_place(vectors, n_lanes, n_threads, order)
        n_blocks = merge(0, (size(hx, 2) + n_lanes - 1)/n_lanes, limited)
        allocate (held(n_blocks), queues(n_threads))
        call share_in_turn(n_blocks, queues)
        i = merge(self%n, chunk, limited)
        allocate (inner(1)%list(i, chunk), inner(1)%weight(i, chunk))
        if (.not. limited) allocate (inner(2)%list(i, chunk), inner(2)%weight(i, chunk))

        !$omp parallel num_threads(n_threads) default(none) private(candidates, chord2, first, i, last, lists, now, unused) &
        !$omp     shared(local, weights, vectors, sign, hx_test, relax, y, r, self, hx, held, queues, inner, mean, n_local) &
        !$omp     shared(numbers, order, position, n_blocks, limited)
        allocate (chord2(self%n))
        call allocate_lists(min(self%n, chunk), lists)
        ! Every block stays with one thread, in the caches of its processor, unless that is late; neighbours go to different ones.
        !$omp do schedule(static, 1)
        do i = 1, n_blocks
            call allocate_targets(self%n_members, held(i)%lanes)
            call load_block(local, vectors, sign, .false., hx_test, relax, hx, &
                            order((i - 1)*n_lanes + 1:min(i*n_lanes, size(order))), held(i)%lanes)
            where (held(i)%lanes%column > 0) held(i)%source = position(max(held(i)%lanes%column, 1))
        end do
        !$omp end do nowait
        now = 1
        call prepare_chunk(local, weights, sign, numbers, 1, self, inner(now), chord2)
        !$omp barrier
        do first = 1, self%n, chunk
            last = min(first + chunk - 1, self%n)
            !$omp single
            call refill(queues)
            call finish_chunk(first, last, y, r, inner(now), self)
            !$omp end single nowait
            ! Which pairs of the next chunk are accepted is seen from the prior: the other threads need not wait. A limited number of
            ! observations is applied at once, and so has to.
            if (limited) then
                !$omp barrier
            else
                now = 3 - now
            end if
            call prepare_chunk(local, weights, sign, numbers, last + 1, self, inner(now), chord2)
            call select_candidates(local, self, numbers(first:last), candidates)
            !$omp barrier
            do
                call take(queues, i)
                if (i == 0) exit
                call exchange_lists(lists, held(i)%lanes)
                call find_pairs(local, self, weights, candidates, held(i)%lanes, unused)
                call update_block(self, .false., held(i)%lanes)
                call exchange_lists(lists, held(i)%lanes)
                held(i)%n_accepted = held(i)%n_accepted + held(i)%lanes%n_accepted
                call hand_over(last + 1, last + chunk, held(i), self)
            end do
            !$omp barrier
        end do
        !$omp do schedule(static, 1)
        do i = 1, n_blocks
            held(i)%lanes%n_accepted = held(i)%n_accepted
            call store_block(relax, held(i)%lanes, hx, mean, n_local)
        end do
        !$omp end do
        !$omp end parallel
        if (self%single) then
            allocate (self%rounded(self%n_members, 0:self%n))
            self%rounded = real(self%perturbation, sp)
        end if
    end subroutine assimilate_sources

    !> Find what updates the observations of a chunk from inside of it. Where their number is limited the choice is among all
    !> observations; those before the chunk are then applied here. Shared by the threads, without a barrier at the end.
    subroutine prepare_chunk(local, weights, sign, numbers, first, self, inner, chord2)
        type(localization), intent(in) :: local
        real(dp), intent(in), contiguous :: weights(:, :)
        integer, intent(in) :: sign(:)
        integer, intent(in) :: numbers(:)           !! 1 to n
        integer, intent(in) :: first                !! first observation of the chunk
        type(source_set), intent(inout) :: self
        type(chunk_lists), intent(inout) :: inner
        real(dp), intent(inout), contiguous :: chord2(:)
        integer :: j, k

        !$omp do schedule(dynamic, 4)
        do j = first, min(first + chunk - 1, self%n)
            k = j - first + 1
            call earlier_sources(local, weights, sign(self%number(j)), numbers, merge(1, first, local%max_sources > 0), j, &
                                 self, inner%n_list(k), inner%list(:, k), inner%weight(:, k), chord2)
            inner%n_before(k) = count(inner%list(1:inner%n_list(k), k) < first)
            if (inner%n_before(k) > 0) call replay_column(inner%n_before(k), inner%list(:, k), inner%weight(:, k), &
                self%perturbation, self%gain, self%step, self%perturbation(:, j), self%mean(j))
        end do
        !$omp end do nowait
    end subroutine prepare_chunk

    !> The observations of a chunk, which have received all updates from before the chunk, one after the other.
    subroutine finish_chunk(first, last, y, r, inner, self)
        integer, intent(in) :: first, last  !! first and last observation of the chunk
        real(dp), intent(in) :: y(:)
        real(dp), intent(in) :: r(:)
        type(chunk_lists), intent(in) :: inner
        type(source_set), intent(inout) :: self
        integer :: j, k, n

        do j = first, last
            k = j - first + 1
            n = inner%n_before(k)
            call replay_column(inner%n_list(k) - n, inner%list(n + 1:, k), inner%weight(n + 1:, k), self%perturbation, &
                               self%gain, self%step, self%perturbation(:, j), self%mean(j))
            call finish_source(j, y(self%number(j)), r(self%number(j)), self)
        end do
    end subroutine finish_chunk

    !> Copy the simulated values of the next chunk's observations from a block to the sources.
    subroutine hand_over(first, last, held, self)
        integer, intent(in) :: first, last !! sources asked for
        type(held_block), intent(in) :: held
        type(source_set), intent(inout) :: self
        integer :: lane

        do lane = 1, n_lanes
            if (held%source(lane) < first .or. held%source(lane) > last) cycle
            self%perturbation(:, held%source(lane)) = held%lanes%values(lane, :)
            self%mean(held%source(lane)) = held%lanes%mean(lane)
        end do
    end subroutine hand_over
end module gcas_ensrf_observations
