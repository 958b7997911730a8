!> Pieces of work shared out to threads: each takes its own ones in their order, then what others have left.
!>
!> So a piece mostly stays with one thread, whose caches know what it needs, and yet all threads end together. Pieces must be independent:
!> who does them is not known before.
module gcas_work_queue
    use omp_lib, only: omp_get_thread_num
    use gcas_kinds, only: i8
    implicit none (type, external)
    private

    public :: queue, share_neighbours, share_in_turn, refill, take

    !> What is one thread's own; each queue has cache lines to itself.
    type :: queue
        integer :: first = 1   !! first piece
        integer :: last = 0    !! no piece is beyond
        integer :: stride = 1  !! from one piece to the next
        integer :: n_taken = 0 !! how often a piece was asked for
        integer :: apart(28) = 0
    end type queue

contains

    !> Share `n` pieces out in runs of neighbours.
    pure subroutine share_neighbours(n, queues)
        integer, intent(in) :: n
        type(queue), intent(inout) :: queues(0:) !! one for each thread
        integer :: k

        do k = 0, size(queues) - 1
            queues(k)%first = 1 + int(k*int(n, i8)/size(queues))
            if (k > 0) queues(k - 1)%last = queues(k)%first - 1
        end do
        queues(size(queues) - 1)%last = n
    end subroutine share_neighbours

    !> Share `n` pieces out in turn, so that neighbours go to different threads.
    pure subroutine share_in_turn(n, queues)
        integer, intent(in) :: n
        type(queue), intent(inout) :: queues(0:) !! one for each thread
        integer :: k

        queues%first = [(k, k=1, size(queues))]
        queues%last = n
        queues%stride = size(queues)
    end subroutine share_in_turn

    !> All pieces can be taken again.
    pure subroutine refill(queues)
        type(queue), intent(inout) :: queues(0:)

        queues%n_taken = 0
    end subroutine refill

    !> The next piece for the thread that asks.
    subroutine take(queues, piece)
        type(queue), intent(inout) :: queues(0:)
        integer, intent(out) :: piece !! 0: none is left
        integer :: n_taken, owner, turn

        do turn = 0, size(queues) - 1
            owner = mod(omp_get_thread_num() + turn, size(queues))
            !$omp atomic capture
            n_taken = queues(owner)%n_taken
            queues(owner)%n_taken = queues(owner)%n_taken + 1
            !$omp end atomic
            piece = queues(owner)%first + queues(owner)%stride*n_taken
            if (piece <= queues(owner)%last) return
        end do
        piece = 0
    end subroutine take
end module gcas_work_queue
