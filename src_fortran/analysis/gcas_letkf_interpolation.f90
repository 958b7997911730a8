!> The LETKF with transforms on a coarse grid, interpolated to the targets: Yang, Kalnay, Hunt & Bowler (2009).
!>
!> A face of the coarse grid is done in bands of its rows, so that no more than `band_bytes` of transforms are held, or two rows.
module gcas_letkf_interpolation
    use gcas_coarse_grid, only: coarse_grid, n_faces
    use gcas_ensrf_kernels, only: n_lanes
    use gcas_ensrf_sources, only: source_set
    use gcas_kinds, only: dp, i8
    use gcas_letkf_blocks, only: choose, reserve_workspace, scaled_sources, workspace
    use gcas_letkf_transform, only: apply_transforms, make_transform, transform
    use gcas_localization, only: localization
    use gcas_matrix_root, only: matrix_root
    use gcas_target_blocks, only: allocate_block, block, load_block, relaxation, seat, store_block
    use gcas_target_pairs, only: candidate_list, find_candidates, find_pairs
    implicit none (type, external)
    private

    public :: interpolate_targets

    real(dp), parameter :: band_bytes = 2.0_dp**24 !! of transforms in one band

    !> Parameters, or simulated values.
    type :: target_set
        real(dp), pointer, contiguous :: vectors(:, :) => null() !! unit vectors (3, n_targets)
        real(dp), pointer, contiguous :: values(:, :) => null()  !! members (n_members, n_targets)
        real(dp), pointer :: mean(:) => null()       !! (n_targets)
        integer, pointer :: n_local(:) => null()     !! observations in reach of each (n_targets)
        type(coarse_grid) :: grid                    !! in whose cells those with spread lie
        integer(i8) :: n_reach = 0
        integer(i8) :: n_accepted = 0
        logical :: finite = .true.                   !! the posterior members and their squares are numbers
    end type target_set

    !> Some rows of cells of one face, and the transforms at their corners.
    type :: band
        integer :: face = 0
        integer :: row = 0                           !! its first row
        integer :: n_rows = 0                        !! of cells
        integer :: n_needed = 0
        integer, allocatable :: needed(:, :)         !! columns and rows in `at` of the corners to be made (2, n_needed)
        real(dp), allocatable :: vectors(:, :)       !! of those corners (3, n_needed)
        logical, allocatable :: is_made(:, :)        !! (0:n columns, 0:n_rows)
        type(transform), allocatable :: at(:, :)     !! (0:n columns, 0:n_rows)
    end type band

contains

    !> Transform parameters and simulated values with means of the transforms at the four corners around them. Localization is by
    !> distance alone.
    subroutine interpolate_targets(local, sources, scaled, spacing_km, relax, n_threads, parameter_vectors, &
                                   observation_vectors, moving_parameters, moving_values, x, hx, mean, n_local, n_reach, &
                                   n_accepted, n_transforms, finite)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        real(dp), intent(in) :: spacing_km                     !! of the coarse grid [km]
        type(relaxation), intent(in) :: relax
        integer, intent(in) :: n_threads                       !! threads
        real(dp), intent(in), contiguous, target :: parameter_vectors(:, :)   !! unit vectors (3, n_parameters)
        real(dp), intent(in), contiguous, target :: observation_vectors(:, :) !! unit vectors (3, n_observations)
        integer, intent(in) :: moving_parameters(:)            !! those with spread: the others keep what they have
        integer, intent(in) :: moving_values(:)                !! simulated values with spread
        real(dp), intent(inout), contiguous, target :: x(:, :)    !! parameters (n_members, n_parameters)
        real(dp), intent(inout), contiguous, target :: hx(:, :)   !! simulated values (n_members, n_observations)
        real(dp), intent(inout), contiguous, target :: mean(:)             !! posterior means of the parameters (n_parameters)
        integer, intent(inout), target :: n_local(:)           !! observations in reach of each parameter itself (n_parameters)
        integer(i8), intent(out) :: n_reach                    !! pairs of parameter and observation in reach
        integer(i8), intent(out) :: n_accepted                 !! of them accepted
        integer(i8), intent(inout) :: n_transforms             !! points of the grid with observations
        logical, intent(out) :: finite                         !! the posterior parameters and their squares are numbers
        real(dp), target :: observation_mean(size(hx, 2))
        integer, target :: observation_local(size(hx, 2))
        integer :: face, i, row, rows_of_band
        type(band) :: here
        type(target_set) :: sets(2)

        sets(1)%vectors => parameter_vectors
        sets(1)%values => x
        sets(1)%mean => mean
        sets(1)%n_local => n_local
        sets(2)%vectors => observation_vectors
        sets(2)%values => hx
        sets(2)%mean => observation_mean
        sets(2)%n_local => observation_local
        call sets(1)%grid%make(spacing_km, parameter_vectors, moving_parameters, n_lanes, n_threads)
        call sets(2)%grid%make(spacing_km, observation_vectors, moving_values, n_lanes, n_threads)
        associate (n => sets(1)%grid%n)
            rows_of_band = max(1, min(n, int(band_bytes/(8.0_dp*sources%n_members**2*(n + 1))) - 1))
            allocate (here%at(0:n, 0:rows_of_band), here%is_made(0:n, 0:rows_of_band))
            here%is_made = .false.
            do face = 1, n_faces
                do row = 0, n - 1, rows_of_band
                    call move_band(sets, face, row, min(rows_of_band, n - row), here)
                    call make_corners(local, sources, scaled, n_threads, here, n_transforms)
                    do i = 1, size(sets)
                        call transform_cells(local, sources, here, relax, n_threads, sets(i))
                    end do
                end do
            end do
        end associate
        n_reach = sets(1)%n_reach
        n_accepted = sets(1)%n_accepted
        finite = sets(1)%finite
    end subroutine interpolate_targets

    !> Go to the next band and list the corners of its cells with targets.
    subroutine move_band(sets, face, row, n_rows, here)
        type(target_set), intent(in) :: sets(:)
        integer, intent(in) :: face
        integer, intent(in) :: row
        integer, intent(in) :: n_rows
        type(band), intent(inout) :: here
        logical :: is_needed(0:sets(1)%grid%n, 0:n_rows)
        integer :: cell, column, i, k, n

        n = sets(1)%grid%n
        ! The last row of corners is the next band's first.
        if (face == here%face) then
            here%is_made(:, 0) = here%is_made(:, here%n_rows)
            do column = 0, n
                if (here%is_made(column, 0)) here%at(column, 0) = here%at(column, here%n_rows)
            end do
            here%is_made(:, 1:) = .false.
        else
            here%is_made = .false.
        end if
        here%face = face
        here%row = row
        here%n_rows = n_rows
        is_needed = .false.
        do k = 0, n_rows - 1
            do column = 0, n - 1
                cell = ((face - 1)*n + row + k)*n + column
                do i = 1, size(sets)
                    if (sets(i)%grid%start(cell + 1) > sets(i)%grid%start(cell)) is_needed(column:column + 1, k:k + 1) = .true.
                end do
            end do
        end do
        is_needed = is_needed .and. .not. here%is_made(:, 0:n_rows)
        here%is_made(:, 0:n_rows) = here%is_made(:, 0:n_rows) .or. is_needed
        here%n_needed = count(is_needed)
        if (allocated(here%needed)) deallocate (here%needed, here%vectors)
        allocate (here%needed(2, here%n_needed), here%vectors(3, here%n_needed))
        here%n_needed = 0
        do k = 0, n_rows
            do column = 0, n
                if (.not. is_needed(column, k)) cycle
                here%n_needed = here%n_needed + 1
                here%needed(:, here%n_needed) = [column, k]
                here%vectors(:, here%n_needed) = sets(1)%grid%point(face, row + k, column)
            end do
        end do
    end subroutine move_band

    !> The transforms at the corners.
    subroutine make_corners(local, sources, scaled, n_threads, here, n_transforms)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        integer, intent(in) :: n_threads
        type(band), intent(inout) :: here
        integer(i8), intent(inout) :: n_transforms
        type(block) :: work
        type(candidate_list) :: candidates
        type(matrix_root) :: function_of
        type(workspace) :: space
        real(dp) :: no_weights(0, 0)
        integer(i8) :: unused
        integer :: first, i, lane

        !$omp parallel num_threads(n_threads) default(none) private(candidates, function_of, i, lane, space, unused, work) &
        !$omp     shared(local, sources, scaled, here, no_weights) reduction(+:n_transforms)
        call allocate_block(sources, work)
        call reserve_workspace(sources, space)
        !$omp do schedule(dynamic, 1)
        do first = 1, here%n_needed, n_lanes
            call seat(.true., here%vectors, [(i, i=first, min(first + n_lanes - 1, here%n_needed))], work)
            work%sign = 0
            call find_candidates(local, sources, here%vectors, pack(work%column, work%column > 0), candidates)
            call find_pairs(local, sources, no_weights, candidates, work, unused)
            do lane = 1, n_lanes
                if (work%column(lane) == 0) cycle
                call choose(scaled, lane, work, space)
                n_transforms = n_transforms + merge(1, 0, space%n_local > 0)
                call make_transform(sources, scaled, work%list(1:work%n_list), space, function_of, &
                                    here%at(here%needed(1, work%column(lane)), here%needed(2, work%column(lane))))
            end do
        end do
        !$omp end do
        !$omp end parallel
    end subroutine make_corners

    !> Transform the targets in the cells of a band.
    subroutine transform_cells(local, sources, here, relax, n_threads, targets)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        type(band), intent(in) :: here
        type(relaxation), intent(in) :: relax
        integer, intent(in) :: n_threads
        type(target_set), intent(inout) :: targets
        real(dp) :: no_test(0, 0), no_weights(0, 0)
        real(dp), allocatable :: weight(:, :, :)
        integer, allocatable :: no_sign(:)
        integer(i8) :: n_accepted, n_reach
        logical :: finite
        integer :: cell, column, first, first_cell, k, n
        type(block) :: work
        type(candidate_list) :: candidates

        n = targets%grid%n
        allocate (no_sign(size(targets%values, 2)), source=0)
        first_cell = ((here%face - 1)*n + here%row)*n
        n_reach = 0
        n_accepted = 0
        finite = .true.
        !$omp parallel num_threads(n_threads) default(none) private(candidates, column, first, k, weight, work) &
        !$omp     shared(local, sources, here, relax, targets, first_cell, n, no_sign, no_test, no_weights) &
        !$omp     reduction(+:n_reach, n_accepted) reduction(.and.:finite)
        call allocate_block(sources, work)
        allocate (weight(n_lanes, 2, 2))
        !$omp do schedule(dynamic, 1)
        do cell = first_cell, first_cell + here%n_rows*n - 1
            if (targets%grid%start(cell + 1) == targets%grid%start(cell)) cycle
            column = mod(cell - first_cell, n)
            k = (cell - first_cell)/n
            call find_candidates(local, sources, targets%vectors, &
                                 targets%grid%order(targets%grid%start(cell) + 1:targets%grid%start(cell + 1)), candidates)
            do first = targets%grid%start(cell) + 1, targets%grid%start(cell + 1), n_lanes
                call load_block(local, targets%vectors, no_sign, .true., no_test, relax, targets%values, &
                                targets%grid%order(first:min(first + n_lanes - 1, targets%grid%start(cell + 1))), work)
                call find_pairs(local, sources, no_weights, candidates, work, n_reach)
                call corner_weights(targets%grid, targets%vectors, work, weight)
                call apply_transforms(here%at(column:column + 1, k:k + 1), weight, work)
                call store_block(relax, work, targets%values, targets%mean, targets%n_local)
                n_accepted = n_accepted + sum(work%n_accepted)
            end do
        end do
        !$omp end do
        finite = finite .and. work%finite
        !$omp end parallel
        targets%finite = targets%finite .and. finite
        targets%n_reach = targets%n_reach + n_reach
        targets%n_accepted = targets%n_accepted + n_accepted
    end subroutine transform_cells

    !> Weights of the cell's four corners; none where no observation is in reach of the target itself.
    pure subroutine corner_weights(grid, vectors, work, weight)
        type(coarse_grid), intent(in) :: grid
        real(dp), intent(in) :: vectors(:, :)
        type(block), intent(in) :: work
        real(dp), intent(out) :: weight(n_lanes, 2, 2)
        real(dp) :: share(2)
        integer :: cell, lane

        weight = 0
        do lane = 1, n_lanes
            if (work%column(lane) == 0 .or. work%n_accepted(lane) == 0) cycle
            call grid%locate(vectors(:, work%column(lane)), cell, share)
            weight(lane, :, 1) = [1.0_dp - share(1), share(1)]*(1.0_dp - share(2))
            weight(lane, :, 2) = [1.0_dp - share(1), share(1)]*share(2)
        end do
    end subroutine corner_weights
end module gcas_letkf_interpolation
