!> Blocks of targets, parameters or simulated values: taking them in, putting them back.
module gcas_target_blocks
    use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
    use gcas_ensrf_kernels, only: n_lanes, n_test
    use gcas_ensrf_sources, only: normalise, source_set, split_mean
    use gcas_kinds, only: dp, sp
    use gcas_localization, only: acceptance_limits, localization, localization_bands
    use gcas_pair_kernels, only: dot, half
    implicit none (type, external)
    private

    public :: block, relaxation
    public :: allocate_block, allocate_lists, allocate_targets, exchange_lists
    public :: needs_correlations, seat, load_block, store_block

    !> What is done to the perturbations.
    type :: relaxation
        real(dp) :: inflation = 1 !! factor of the prior perturbations
        real(dp) :: rtpp = 0      !! relaxation to prior perturbations, 0 to 1
        real(dp) :: rtps = 0      !! relaxation to prior spread, 0 to 1
    end type relaxation

    !> Work space of one thread.
    type :: block
        integer :: column(n_lanes)                 !! targets; 0: empty lane
        real(dp) :: filled(n_lanes)                !! 1 for lanes in use, else 0
        integer :: sign(n_lanes)                   !! sign of the correlation that counts; 0: both
        logical :: has_spread(n_lanes)
        logical :: finite = .true.                 !! what was put back so far are numbers, and so are their squares
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

        work%finite = .true.
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
        real(dp) :: unused
        logical :: has_spread, tested
        integer :: column, lane

        call seat(local%kind == localization_bands, vectors, chosen, work)
        work%mean = 0
        work%sign = 0
        work%has_spread = .false.
        tested = .false.
        do lane = 1, n_lanes
            if (work%column(lane) == 0) cycle
            work%sign(lane) = sign(work%column(lane))
            tested = tested .or. needs_correlations(local, work%sign(lane))
        end do
        if (tested .and. .not. allocated(work%test)) allocate (work%test(size(values, 1), n_lanes))
        do lane = 1, n_lanes
            column = work%column(lane)
            if (column == 0) then
                work%values(lane, :) = 0
                if (tested) work%test(:, lane) = 0
                cycle
            end if
            call split_mean(values(:, column), work%mean(lane), work%column_values, work%has_spread(lane))
            work%values(lane, :) = relax%inflation*work%column_values
            if (.not. tested) cycle
            if (own_test) then
                work%test(:, lane) = work%column_values
            else
                call split_mean(test(:, column), unused, work%test(:, lane), has_spread)
            end if
            call normalise(work%test(:, lane))
        end do
        if (tested) work%test_single = real(transpose(work%test), sp)
    end subroutine load_block

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
            work%finite = work%finite .and. ieee_is_finite(dot(values(:, column), values(:, column)))
        end do
    end subroutine store_block
end module gcas_target_blocks
