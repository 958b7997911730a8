!> A block of targets receives the sources of its list.
module gcas_ensrf_update
    use gcas_ensrf_kernels, only: batch_gram, lane_gains, lane_products, lane_products_single, lane_step, &
        lane_step_single, lane_subtract, lane_subtract_single, n_batch, n_lanes, replay_column
    use gcas_ensrf_sources, only: source_set
    use gcas_kinds, only: dp, sp
    use gcas_target_blocks, only: block
    implicit none (type, external)
    private

    public :: update_block

    real(dp), parameter :: sparse_share = 0.3_dp !! below this share of accepted pairs lanes go alone

contains

    !> Replay the listed sources on the block: together where many pairs count, else lane by lane.
    subroutine update_block(sources, single, work)
        type(source_set), intent(in) :: sources
        logical, intent(in) :: single !! perturbations in single precision
        type(block), intent(inout) :: work
        integer :: lane

        if (work%n_list == 0) return
        if (sum(work%n_accepted) < sparse_share*n_lanes*work%n_list) then
            do lane = 1, n_lanes
                if (work%has_spread(lane)) call update_lane(sources, lane, work)
            end do
        else if (single) then
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
end module gcas_ensrf_update
