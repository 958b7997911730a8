!> The local ensemble transform Kalman filter of Hunt, Kostelich & Szunyogh (2007), symmetric square root: the loop over targets.
!>
!> With the scaled perturbations S of a target's observations (columns w^(1/2) HX'/((N-1) R)^(1/2), w the localization weight):
!>     X' becomes X' (I + S Sᵀ)^(-1/2),  x̄ gains X' (I + S Sᵀ)^(-1) S d,  d = w^(1/2) (y - Hx̄)/((N-1) R)^(1/2).
!> Targets of one block whose weights agree share one matrix: S Sᵀ in the space of the members, or, where observations are few,
!> SᵀS in theirs, by (I + S Sᵀ)^(-1/2) = I - S h(SᵀS) Sᵀ. No matrix is diagonalized: see `gcas_krylov`.
module gcas_letkf
    use gcas_ensrf_kernels, only: n_lanes
    use gcas_ensrf_sources, only: source_set
    use gcas_kinds, only: dp, i8
    use gcas_letkf_blocks, only: choose_all, reserve_workspace, scaled_sources, transform_block, workspace
    use gcas_letkf_transform, only: apply_transforms, make_transform, transform
    use gcas_localization, only: localization, localization_bands, localization_none
    use gcas_matrix_root, only: matrix_root
    use gcas_pair_kernels, only: dot
    use gcas_partition, only: order_by_place
    use gcas_target_blocks, only: allocate_block, block, load_block, relaxation, store_block
    use gcas_target_pairs, only: candidate_list, find_group, find_pairs
    use gcas_work_queue, only: queue, share_neighbours, take
    implicit none (type, external)
    private

    public :: transform_targets, scale_sources, largest_information

    !> Sum of prior variance over error variance up to which I + S Sᵀ differs from S Sᵀ.
    real(dp), parameter :: largest_information = 1.0_dp/epsilon(1.0_dp)

contains

    !> What the transforms need of every observation besides its perturbations; also the prior variances.
    subroutine scale_sources(y, r, sources, scaled)
        real(dp), intent(in) :: y(:)               !! observed values, in the caller's order
        real(dp), intent(in) :: r(:)               !! error variances, in the caller's order
        type(source_set), intent(inout) :: sources
        type(scaled_sources), intent(out) :: scaled
        integer :: i

        allocate (scaled%root(sources%n), scaled%innovation(sources%n))
        do i = 1, sources%n
            sources%variance(i) = dot(sources%perturbation(:, i), sources%perturbation(:, i))/(sources%n_members - 1)
            scaled%root(i) = 1.0_dp/sqrt((sources%n_members - 1)*r(sources%number(i)))
            scaled%innovation(i) = y(sources%number(i)) - sources%mean(i)
        end do
        ! No eigenvalue of S Sᵀ exceeds its trace; the tridiagonal matrices' bounds, sums of three elements, are at most thrice that.
        call scaled%poles%make(1.0_dp + 4.0_dp*sum(sources%variance/r(sources%number)))
    end subroutine scale_sources

    !> Transform all targets, each with its own observations.
    subroutine transform_targets(local, sources, scaled, weights, vectors, sign, own_test, test, moving, relax, n_threads, values, &
                                 mean, n_local, n_reach, n_accepted, n_transforms, finite)
        type(localization), intent(in) :: local
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
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
        integer(i8), intent(inout) :: n_transforms          !! matrices whose functions were applied
        logical, intent(out) :: finite                      !! the posterior members and their squares are numbers
        integer, allocatable :: order(:)
        integer :: first, i
        type(block) :: work
        type(candidate_list) :: candidates
        type(queue) :: queues(n_threads)
        type(transform) :: common(1, 1)
        type(workspace) :: space

        n_reach = 0
        n_accepted = 0
        finite = .true.
        order = moving
        if (local%kind == localization_bands) call order_by_place(vectors, n_lanes, n_threads, order)
        call share_neighbours((size(order) + n_lanes - 1)/n_lanes, queues)
        if (local%kind == localization_none) then
            call make_common_transform(sources, scaled, common(1, 1))
            n_transforms = n_transforms + merge(1, 0, common(1, 1)%acts)
        end if

        !$omp parallel num_threads(n_threads) default(none) private(candidates, first, i, work, space) &
        !$omp     shared(local, sources, scaled, weights, vectors, sign, own_test, test, relax, values, mean, n_local) &
        !$omp     shared(order, queues, common) &
        !$omp     reduction(+:n_reach, n_accepted, n_transforms) reduction(.and.:finite)
        candidates%group = 0
        call allocate_block(sources, work)
        if (local%kind /= localization_none) call reserve_workspace(sources, space)
        do
            call take(queues, i)
            if (i == 0) exit
            first = 1 + (i - 1)*n_lanes
            call find_group(local, sources, vectors, order, first, candidates)
            call load_block(local, vectors, sign, own_test, test, relax, values, &
                            order(first:min(first + n_lanes - 1, size(order))), work)
            call find_pairs(local, sources, weights, candidates, work, n_reach)
            if (local%kind == localization_none) then
                call apply_transforms(common, spread(spread(work%filled, 2, 1), 3, 1), work)
            else
                call transform_block(sources, scaled, work, space, n_transforms)
            end if
            call store_block(relax, work, values, mean, n_local)
            n_accepted = n_accepted + sum(work%n_accepted)
        end do
        finite = finite .and. work%finite
        !$omp end parallel
    end subroutine transform_targets

    !> Without localization all targets share one transform.
    subroutine make_common_transform(sources, scaled, common)
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        type(transform), intent(inout) :: common
        type(matrix_root) :: function_of
        type(workspace) :: space
        integer :: i

        call reserve_workspace(sources, space)
        call choose_all(scaled, space)
        call make_transform(sources, scaled, [(i, i=1, sources%n)], space, function_of, common)
    end subroutine make_common_transform
end module gcas_letkf
