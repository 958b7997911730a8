!> The transforms of one block of targets: which targets share a matrix, in which space it is formed, and its use.
module gcas_letkf_blocks
    use gcas_ensrf_kernels, only: lane_products, lane_subtract, n_batch, n_lanes
    use gcas_ensrf_sources, only: source_set
    use gcas_inverse_root, only: pole_table
    use gcas_kinds, only: dp, i8
    use gcas_krylov, only: apply_functions, krylov_space
    use gcas_letkf_kernels, only: add_products, gather_scaled, mirror, n_rows, panels_of
    use gcas_pair_kernels, only: dot
    use gcas_target_blocks, only: block
    implicit none (type, external)
    private

    public :: scaled_sources, workspace
    public :: reserve_workspace, transform_block, choose, choose_all, observation_matrix, member_matrix

    !> What is added to the observations for the transforms.
    type :: scaled_sources
        type(pole_table) :: poles
        real(dp), allocatable :: root(:)       !! ((N-1) R)^(-1/2) (n)
        real(dp), allocatable :: innovation(:) !! y - Hx̄ (n)
    end type scaled_sources

    !> Work space of one thread.
    type :: workspace
        integer :: n_local = 0                     !! observations of the targets in hand
        integer, allocatable :: chosen(:)          !! their places in the block's list (n_local)
        real(dp), allocatable :: scale(:)          !! (w/((N-1) R))^(1/2) (n_local)
        real(dp), allocatable :: departure(:)      !! d, in the space of the matrix
        real(dp), allocatable :: start(:)          !! a target's start vector
        real(dp), allocatable :: panels(:)         !! factor of the matrix, in one row
        real(dp), allocatable :: gram(:)           !! scalar products of the block's observations, in one row
        logical :: gram_of_block = .false.         !! `gram` is that of the whole list
        real(dp), allocatable :: matrix(:)         !! of the targets in hand, in one row
        real(dp), allocatable :: products(:, :)    !! scalar products of targets and observations (n_lanes, n_list)
        real(dp), allocatable :: factors(:, :)     !! what of the observations is taken off the targets (n_lanes, n_list)
        type(krylov_space) :: spaces(2)
    end type workspace

    integer, parameter :: chunk = 128               !! observations whose products are summed together
    real(dp), parameter :: few = 1.5_dp             !! observations over members up to which theirs is the cheaper space
    integer, parameter :: all_lanes(n_lanes) = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
    real(dp), parameter :: accuracy = 1.0e-14_dp    !! of perturbations and means, relative to the perturbations
    real(dp), parameter :: accuracy_single = 1.0e-8_dp !! where single precision is asked for

contains

    subroutine reserve_workspace(sources, space)
        type(source_set), intent(in) :: sources
        type(workspace), intent(inout) :: space
        integer :: i, largest

        largest = n_rows*panels_of(max(sources%n_members, floor(few*sources%n_members)))
        allocate (space%chosen(sources%n), space%scale(sources%n), space%departure(largest), space%start(largest), &
                  space%matrix(largest**2), space%products(n_lanes, sources%n + n_batch), &
                  space%factors(n_lanes, sources%n + n_batch), space%panels(0), space%gram(0))
        do i = 1, size(space%spaces)
            call space%spaces(i)%reserve(largest)
        end do
    end subroutine reserve_workspace

    !> Whether so many observations are solved for in their own space.
    pure elemental logical function is_few(n_observations, n_members)
        integer, intent(in) :: n_observations
        integer, intent(in) :: n_members

        is_few = n_observations <= few*n_members
    end function is_few

    !> Make a work array at least so long.
    subroutine enlarge(n, array)
        integer, intent(in) :: n
        real(dp), intent(inout), allocatable :: array(:)

        if (size(array) >= n) return
        deallocate (array)
        allocate (array(n))
    end subroutine enlarge

    !> Transform all targets of a block.
    subroutine transform_block(sources, scaled, work, space, n_transforms)
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        type(block), intent(inout) :: work
        type(workspace), intent(inout) :: space
        integer(i8), intent(inout) :: n_transforms !! counts the matrices
        integer :: lane, lanes(n_lanes), leader(n_lanes), n_group
        logical :: dual(n_lanes)

        call find_leaders(work, leader)
        dual = leader > 0 .and. is_few(work%n_accepted, sources%n_members)
        if (any(dual)) call prepare_dual(sources, dual, leader, work, space)
        do lane = 1, n_lanes
            if (leader(lane) /= lane) cycle
            n_group = count(leader == lane)
            n_transforms = n_transforms + 1
            lanes(1:n_group) = pack(all_lanes, leader == lane)
            call choose(scaled, lane, work, space)
            if (dual(lane)) then
                call observation_space(sources, scaled, lanes(1:n_group), work, space)
            else
                call ensemble_space(sources, scaled, lanes(1:n_group), work, space)
            end if
        end do
        if (any(dual)) call take_off(sources, work, space)
    end subroutine transform_block

    !> For every target the first one of the block with the same weights; 0 where there is nothing to do.
    pure subroutine find_leaders(work, leader)
        type(block), intent(in) :: work
        integer, intent(out) :: leader(n_lanes)
        integer :: first, lane

        do lane = 1, n_lanes
            leader(lane) = 0
            if (.not. work%has_spread(lane) .or. work%n_accepted(lane) == 0) cycle
            leader(lane) = lane
            do first = 1, lane - 1
                if (leader(first) /= first .or. work%n_accepted(first) /= work%n_accepted(lane)) cycle
                if (same_weights(work%n_list, first, lane, work%weight)) then
                    leader(lane) = first
                    exit
                end if
            end do
        end do
    end subroutine find_leaders

    !> Whether two targets give every observation the same weight.
    pure logical function same_weights(n_list, a, b, weight)
        integer, intent(in) :: n_list
        integer, intent(in) :: a, b                  !! lanes
        real(dp), intent(in) :: weight(n_lanes, n_list)
        integer :: i

        same_weights = .false.
        do i = 1, n_list
            if (weight(a, i) /= weight(b, i)) return
        end do
        same_weights = .true.
    end function same_weights

    !> The observations of one target, and their scales.
    pure subroutine choose(scaled, lane, work, space)
        type(scaled_sources), intent(in) :: scaled
        integer, intent(in) :: lane
        type(block), intent(in) :: work
        type(workspace), intent(inout) :: space
        integer :: i, n

        n = 0
        do i = 1, work%n_list
            if (.not. work%weight(lane, i) > 0.0_dp) cycle
            n = n + 1
            space%chosen(n) = i
            space%scale(n) = sqrt(work%weight(lane, i))*scaled%root(work%list(i))
        end do
        space%n_local = n
    end subroutine choose

    !> All observations, with weight 1.
    pure subroutine choose_all(scaled, space)
        type(scaled_sources), intent(in) :: scaled
        type(workspace), intent(inout) :: space
        integer :: i

        space%n_local = size(scaled%root)
        space%chosen = [(i, i=1, space%n_local)]
        space%scale = scaled%root
    end subroutine choose_all

    !> Products of all targets with all observations of the block, and the observations' Gram matrix if it pays.
    subroutine prepare_dual(sources, dual, leader, work, space)
        type(source_set), intent(in) :: sources
        logical, intent(in) :: dual(n_lanes)
        integer, intent(in) :: leader(n_lanes)
        type(block), intent(inout) :: work
        type(workspace), intent(inout) :: space
        real(dp) :: single_cost
        integer :: first, lane

        work%list(work%n_list + 1:work%n_list + n_batch) = 0
        do first = 1, work%n_list, n_batch
            call lane_products(sources%n_members, work%list(first:first + n_batch - 1), work%values, sources%perturbation, &
                               space%products(:, first:first + n_batch - 1))
        end do
        space%factors(:, 1:work%n_list + n_batch) = 0
        single_cost = 0
        do lane = 1, n_lanes
            if (dual(lane) .and. leader(lane) == lane) single_cost = single_cost + real(work%n_accepted(lane), dp)**2
        end do
        space%gram_of_block = real(work%n_list, dp)**2 <= single_cost
        if (space%gram_of_block) call form_gram(sources, work%n_list, work%list, space)
    end subroutine prepare_dual

    !> Scalar products of the listed observations.
    subroutine form_gram(sources, n, list, space)
        type(source_set), intent(in) :: sources
        integer, intent(in) :: n
        integer, intent(in) :: list(n)
        type(workspace), intent(inout) :: space
        integer :: n_panels

        n_panels = panels_of(n)
        call enlarge(n_rows*n_panels*sources%n_members, space%panels)
        call enlarge((n_rows*n_panels)**2, space%gram)
        call pack_sources(sources, n, list, n_panels, space%panels)
        space%gram(1:(n_rows*n_panels)**2) = 0
        call add_products(n_panels, sources%n_members, space%panels, space%gram)
        call mirror(n_rows*n_panels, space%gram)
    end subroutine form_gram

    !> Perturbations of observations as rows of panels.
    pure subroutine pack_sources(sources, n, list, n_panels, panels)
        type(source_set), intent(in) :: sources
        integer, intent(in) :: n
        integer, intent(in) :: list(n)
        integer, intent(in) :: n_panels
        real(dp), intent(out) :: panels(n_rows, sources%n_members, n_panels)
        integer :: i, row

        do i = 1, n_rows*n_panels
            row = mod(i - 1, n_rows) + 1
            if (i <= n) then
                panels(row, :, (i - 1)/n_rows + 1) = sources%perturbation(:, list(i))
            else
                panels(row, :, n_panels) = 0
            end if
        end do
    end subroutine pack_sources

    !> SᵀS and d of the chosen observations.
    subroutine observation_matrix(sources, scaled, list, space)
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        integer, intent(in) :: list(:)        !! the observations among which they are chosen
        type(workspace), intent(inout) :: space
        integer :: i, n, n_padded

        n = space%n_local
        n_padded = n_rows*panels_of(n)
        if (space%gram_of_block) then
            call gather_scaled(n_rows*panels_of(size(list)), space%gram, n, space%chosen, space%scale, n_padded, space%matrix)
        else
            call form_gram(sources, n, list(space%chosen(1:n)), space)
            call gather_scaled(n_padded, space%gram, n, [(i, i=1, n)], space%scale, n_padded, space%matrix)
        end if
        space%departure(1:n) = space%scale(1:n)*scaled%innovation(list(space%chosen(1:n)))
    end subroutine observation_matrix

    !> Targets that share few observations: the matrix is SᵀS.
    subroutine observation_space(sources, scaled, lanes, work, space)
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        integer, intent(in) :: lanes(:)       !! the targets
        type(block), intent(inout) :: work
        type(workspace), intent(inout) :: space
        real(dp) :: gain, tolerance(2)
        integer :: first, k, lane, n, n_padded, n_together

        n = space%n_local
        n_padded = n_rows*panels_of(n)
        call observation_matrix(sources, scaled, work%list(1:work%n_list), space)
        do first = 1, size(lanes), size(space%spaces)
            n_together = min(size(space%spaces), size(lanes) - first + 1)
            do k = 1, n_together
                lane = lanes(first + k - 1)
                space%start(1:n) = space%scale(1:n)*space%products(lane, space%chosen(1:n))
                call space%spaces(k)%begin(n, n_padded, space%start(1:n))
                tolerance(k) = steps_tolerance(sources%single, sqrt(sum(work%values(lane, :)**2)), space%spaces(k)%start, &
                                               space%departure(1:n))
            end do
            call apply_functions(scaled%poles, n, n_padded, space%matrix, n_together, .true., tolerance, space%spaces)
            do k = 1, n_together
                lane = lanes(first + k - 1)
                call space%spaces(k)%combine(n, n_padded, space%departure, space%start, gain)
                space%factors(lane, space%chosen(1:n)) = space%scale(1:n)*space%start(1:n)
                work%mean(lane) = work%mean(lane) + gain
            end do
        end do
    end subroutine observation_space

    !> Take the multiples of the observations that `observation_space` has found off the targets.
    subroutine take_off(sources, work, space)
        type(source_set), intent(in) :: sources
        type(block), intent(inout) :: work
        type(workspace), intent(in) :: space
        integer :: first

        do first = 1, work%n_list, n_batch
            call lane_subtract(sources%n_members, work%list(first:first + n_batch - 1), &
                               space%factors(:, first:first + n_batch - 1), sources%perturbation, work%values)
        end do
    end subroutine take_off

    !> Targets that share many observations: the matrix is S Sᵀ.
    subroutine ensemble_space(sources, scaled, lanes, work, space)
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        integer, intent(in) :: lanes(:)       !! the targets
        type(block), intent(inout) :: work
        type(workspace), intent(inout) :: space
        real(dp) :: gain, tolerance(2)
        integer :: first, k, lane, n, n_padded, n_together

        n = sources%n_members
        n_padded = n_rows*panels_of(n)
        call member_matrix(sources, scaled, work%list(1:work%n_list), space)
        do first = 1, size(lanes), size(space%spaces)
            n_together = min(size(space%spaces), size(lanes) - first + 1)
            do k = 1, n_together
                space%start(1:n) = work%values(lanes(first + k - 1), :)
                call space%spaces(k)%begin(n, n_padded, space%start(1:n))
                tolerance(k) = steps_tolerance(sources%single, space%spaces(k)%start, space%spaces(k)%start, space%departure(1:n))
            end do
            call apply_functions(scaled%poles, n, n_padded, space%matrix, n_together, .false., tolerance, space%spaces)
            do k = 1, n_together
                lane = lanes(first + k - 1)
                call space%spaces(k)%combine(n, n_padded, space%departure, space%start, gain)
                work%values(lane, :) = space%start(1:n)
                work%mean(lane) = work%mean(lane) + gain
            end do
        end do
    end subroutine ensemble_space

    !> S Sᵀ and S d of the chosen observations.
    subroutine member_matrix(sources, scaled, list, space)
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        integer, intent(in) :: list(:)        !! the observations among which they are chosen
        type(workspace), intent(inout) :: space
        integer :: first, i, n, n_panels, n_together

        n = sources%n_members
        n_panels = panels_of(n)
        call enlarge(n_rows*n_panels*chunk, space%panels)
        space%matrix(1:(n_rows*n_panels)**2) = 0
        do first = 1, space%n_local, chunk
            n_together = min(chunk, space%n_local - first + 1)
            call pack_members(sources, n_together, list(space%chosen(first:first + n_together - 1)), space%scale(first:), &
                              n_panels, space%panels)
            call add_products(n_panels, n_together, space%panels, space%matrix)
        end do
        call mirror(n_rows*n_panels, space%matrix)
        space%departure(1:n) = 0
        do i = 1, space%n_local
            space%departure(1:n) = space%departure(1:n) + space%scale(i)**2*scaled%innovation(list(space%chosen(i))) &
                                   *sources%perturbation(:, list(space%chosen(i)))
        end do
    end subroutine member_matrix

    !> Scaled perturbations with the members as rows of panels.
    pure subroutine pack_members(sources, n, list, scale, n_panels, panels)
        type(source_set), intent(in) :: sources
        integer, intent(in) :: n
        integer, intent(in) :: list(n)
        real(dp), intent(in) :: scale(n)
        integer, intent(in) :: n_panels
        real(dp), intent(out) :: panels(n_rows, n, n_panels)
        integer :: first, i, n_used, panel

        do panel = 1, n_panels
            first = n_rows*(panel - 1)
            n_used = min(n_rows, sources%n_members - first)
            do i = 1, n
                panels(1:n_used, i, panel) = scale(i)*sources%perturbation(first + 1:first + n_used, list(i))
                panels(n_used + 1:, i, panel) = 0
            end do
        end do
    end subroutine pack_members

    !> Bound of the relative residual at which perturbations and mean are accurate.
    pure real(dp) function steps_tolerance(single, length, start, departure) result(tolerance)
        logical, intent(in) :: single                     !! the accuracy of single precision is enough
        real(dp), intent(in) :: length                    !! of the target's perturbations
        real(dp), intent(in) :: start                     !! length of the start vector
        real(dp), intent(in), contiguous :: departure(:)  !! what the inverse is multiplied with

        tolerance = merge(accuracy_single, accuracy, single)*length &
                    /(max(start, tiny(start))*(1.0_dp + sqrt(dot(departure, departure))))
    end function steps_tolerance
end module gcas_letkf_blocks
