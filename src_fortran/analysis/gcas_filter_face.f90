!> What Python sees of the ensemble filters. Flat arrays in, status and message out; sizes and numbers are tested here.
module gcas_filter_face
    use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
    use gcas_ensrf, only: replay_targets
    use gcas_ensrf_observations, only: assimilate_sources
    use gcas_ensrf_sources, only: set_sources, source_set, survey
    use gcas_kinds, only: dp, i4, i8
    use gcas_letkf, only: largest_information, scale_sources, transform_targets
    use gcas_letkf_blocks, only: scaled_sources
    use gcas_letkf_interpolation, only: interpolate_targets
    use gcas_localization, only: localization, localization_bands, localization_weights
    use gcas_sphere, only: unit_vector
    use gcas_status, only: status_bad_shape, status_bad_value, status_no_memory, status_not_finite, status_ok, &
        status_overflow, status_singular
    use gcas_target_blocks, only: needs_correlations, relaxation
    implicit none (type, external)
    private

    public :: analyse

contains

    !> Serial EnSRF in two phases, Whitaker & Hamill (2002), eqs. 10-13; or LETKF, Hunt et al. (2007); localized as Jiang et al.
    !> (2021), section 2.1.3.
    subroutine analyse(transform, kind, near_km, far_km, tested, critical_one_sided, critical_two_sided, sign_rule, tapered, &
                       max_sources, best_correlated, inflation, rtpp, rtps, single, spacing_km, n_threads, parameter_lon, &
                       parameter_lat, parameter_sign, observation_lon, observation_lat, parameter_weights, &
                       observation_weights, y, r, order, hx_test, hx_prior, x, hx, mean, n_local, prior_mean, prior_variance, &
                       n_reach, n_accepted, n_zero_spread, n_transforms, status, message)
        logical, intent(in) :: transform           !! LETKF instead of EnSRF
        integer(i4), intent(in) :: kind            !! 0 no localization, 1 weights by the caller, 2 bands of distance
        real(dp), intent(in) :: near_km(:)         !! radii of the near band (n_observations), bands only [km]
        real(dp), intent(in) :: far_km(:)          !! radii of the far band, and of the taper (n_observations), bands only [km]
        logical, intent(in) :: tested              !! the far band needs a significant correlation
        real(dp), intent(in) :: critical_one_sided !! critical correlation where the sign rule holds
        real(dp), intent(in) :: critical_two_sided !! critical correlation elsewhere
        logical, intent(in) :: sign_rule           !! between observations only positive correlations count
        logical, intent(in) :: tapered             !! Gaspari-Cohn taper
        integer(i4), intent(in) :: max_sources     !! at most so many observations per parameter; 0: no limit
        logical, intent(in) :: best_correlated     !! the limit keeps the best correlated, not the nearest
        real(dp), intent(in) :: inflation          !! factor of the prior perturbations
        real(dp), intent(in) :: rtpp               !! relaxation to prior perturbations, 0 to 1
        real(dp), intent(in) :: rtps               !! relaxation to prior spread, 0 to 1
        logical, intent(in) :: single              !! EnSRF: perturbations of the second phase in single precision; LETKF: that accuracy
        real(dp), intent(in) :: spacing_km         !! LETKF: of the grid on which transforms are made; 0: none [km]
        integer(i4), intent(in) :: n_threads       !! threads
        real(dp), intent(in) :: parameter_lon(:)   !! (n_parameters), bands only [degree]
        real(dp), intent(in) :: parameter_lat(:)   !! (n_parameters), bands only [degree]
        integer(i4), intent(in) :: parameter_sign(:) !! sign that a correlation must have; 0: no rule (n_parameters)
        real(dp), intent(in) :: observation_lon(:) !! (n_observations), bands only [degree]
        real(dp), intent(in) :: observation_lat(:) !! (n_observations), bands only [degree]
        real(dp), intent(in), contiguous :: parameter_weights(:, :)   !! weights, kind 1 only (n_observations, n_parameters)
        real(dp), intent(in), contiguous :: observation_weights(:, :) !! weights, kind 1 only (n_observations, n_observations)
        real(dp), intent(in) :: y(:)               !! observed values (n_observations)
        real(dp), intent(in) :: r(:)               !! error variances (n_observations)
        integer(i4), intent(in) :: order(:)        !! observations in the order of assimilation, from 1 (n_used)
        !> Simulated values that stand for each observation in tests (n_members, n_observations).
        real(dp), intent(in), contiguous :: hx_test(:, :)
        real(dp), intent(in), contiguous :: hx_prior(:, :)     !! prior simulated values (n_members, n_observations)
        real(dp), intent(inout), contiguous :: x(:, :)         !! parameters, prior to posterior (n_members, n_parameters)
        real(dp), intent(inout), contiguous :: hx(:, :)        !! out: posterior simulated values (n_members, n_observations)
        real(dp), intent(inout) :: mean(:)         !! posterior means of the parameters (n_parameters)
        integer(i4), intent(inout) :: n_local(:)   !! observations that updated each parameter (n_parameters)
        real(dp), intent(inout) :: prior_mean(:)   !! mean of each used observation when its turn came; LETKF: prior (n_used)
        real(dp), intent(inout) :: prior_variance(:) !! its variance then (n_used)
        integer(i8), intent(out) :: n_reach        !! pairs of parameter with spread and observation in reach
        integer(i8), intent(out) :: n_accepted     !! of them accepted
        integer(i8), intent(out) :: n_zero_spread  !! parameters without spread
        integer(i8), intent(out) :: n_transforms   !! LETKF: matrices for parameters and simulated values
        integer, intent(out) :: status             !! `status_ok`, or `_bad_shape`, `_bad_value`, `_not_finite`, `_no_memory`, `_singular`, `_overflow`
        character(len=256), intent(out) :: message !! what was wrong; blank when all went well
        type(localization) :: local
        type(source_set) :: sources
        type(scaled_sources) :: scaled
        type(relaxation) :: relax
        real(dp), allocatable :: observation_mean(:), observation_vectors(:, :), parameter_vectors(:, :)
        integer, allocatable :: observation_local(:), observation_sign(:)
        integer, allocatable :: moving_parameters(:), moving_values(:) ! those with spread: nothing changes the others
        logical :: correlated ! some rule needs correlations
        logical :: finite, interpolated
        integer(i8) :: unused(2)
        integer :: i, n_observations, n_parameters

        n_reach = 0
        n_accepted = 0
        n_zero_spread = 0
        n_transforms = 0
        n_parameters = size(x, 2)
        n_observations = size(hx, 2)
        call check_sizes()
        if (status /= status_ok) return
        n_zero_spread = n_parameters - size(moving_parameters)
        n_local = 0

        local%kind = kind
        local%tested = tested
        local%critical_one_sided = critical_one_sided
        local%critical_two_sided = critical_two_sided
        local%tapered = tapered
        local%max_sources = max_sources
        local%best_correlated = best_correlated
        relax = relaxation(inflation, rtpp, rtps)

        allocate (parameter_vectors(3, n_parameters), observation_vectors(3, n_observations), &
                  observation_local(n_observations), observation_sign(n_observations), stat=status)
        if (status /= 0) then
            status = status_no_memory
            message = 'no memory for the places of parameters and observations'
            return
        end if
        if (kind == localization_bands) then
            call place(parameter_lon, parameter_lat, moving_parameters, parameter_vectors)
            call place(observation_lon, observation_lat, [(i, i=1, n_observations)], observation_vectors)
        else
            observation_vectors = 0
        end if
        observation_sign = merge(1, 0, sign_rule)

        correlated = needs_correlations(local, merge(1, 0, sign_rule .or. any(parameter_sign /= 0)))
        call set_sources(order, observation_vectors, hx, hx_test, correlated, inflation, single, n_threads, sources)
        if (kind == localization_bands) call sources%radii%set(near_km(order), far_km(order))
        if (transform) then
            call scale_sources(y, r, sources, scaled)
        else
            call assimilate_sources(local, observation_weights, observation_vectors, observation_sign, hx_test, relax, y, r, &
                                    n_threads, sources, hx)
        end if
        if (transform .and. .not. sum(sources%variance/r(order)) <= largest_information) then
            status = status_singular
            write (message, '(2(a, es10.1e3))') 'observations too precise for a transform: sum of prior variance over R is ', &
                sum(sources%variance/r(order)), ', at most ', largest_information
            return
        end if
        prior_mean = sources%mean
        prior_variance = sources%variance
        interpolated = transform .and. spacing_km > 0.0_dp
        if (interpolated) then
            call interpolate_targets(local, sources, scaled, spacing_km, relax, n_threads, parameter_vectors, &
                                     observation_vectors, moving_parameters, moving_values, x, hx, mean, n_local, n_reach, &
                                     n_accepted, n_transforms, finite)
        else
            call update(parameter_weights, parameter_vectors, parameter_sign, .true., moving_parameters, x, mean, n_local, &
                        n_reach, n_accepted, finite)
        end if
        if (.not. finite) then
            status = status_overflow
            message = 'posterior parameters hold NaN, infinity or numbers whose squares overflow'
            return
        end if
        if (interpolated .or. (.not. transform .and. max_sources == 0)) return
        call update(observation_weights, observation_vectors, observation_sign, .false., moving_values, hx, observation_mean, &
                    observation_local, unused(1), unused(2), finite)

    contains

        !> Unit vectors of some parameters or observations.
        subroutine place(lon, lat, columns, vectors)
            real(dp), intent(in) :: lon(:), lat(:)
            integer, intent(in) :: columns(:)
            real(dp), intent(inout) :: vectors(:, :)
            integer :: i

            !$omp parallel do num_threads(n_threads) default(none) shared(lon, lat, columns, vectors)
            do i = 1, size(columns)
                vectors(:, columns(i)) = unit_vector(lon(columns(i)), lat(columns(i)))
            end do
            !$omp end parallel do
        end subroutine place

        !> Update parameters, or simulated values.
        subroutine update(weights, vectors, sign, own_test, moving, values, means, n_used, n_in_reach, n_taken, good)
            real(dp), intent(in), contiguous :: weights(:, :), vectors(:, :)
            integer, intent(in) :: moving(:), sign(:)
            logical, intent(in) :: own_test
            real(dp), intent(inout), contiguous :: values(:, :)
            real(dp), intent(inout) :: means(:)
            integer, intent(inout) :: n_used(:)
            integer(i8), intent(out) :: n_in_reach, n_taken
            logical, intent(out) :: good

            if (transform) then
                call transform_targets(local, sources, scaled, weights, vectors, sign, own_test, hx_test, moving, relax, &
                                       n_threads, values, means, n_used, n_in_reach, n_taken, n_transforms, good)
            else
                call replay_targets(local, sources, weights, vectors, sign, own_test, hx_test, moving, relax, n_threads, values, &
                                    means, n_used, n_in_reach, n_taken, good)
            end if
        end subroutine update

        !> Sizes that do not agree, or an order that points outside, must not reach the loops.
        subroutine check_sizes()
            status = status_bad_shape
            if (size(x, 1) /= size(hx, 1)) then
                write (message, '(2(a, i0))') 'members: x has ', size(x, 1), ', hx has ', size(hx, 1)
            else if (any(shape(hx_test) /= shape(hx)) .or. any(shape(hx_prior) /= shape(hx))) then
                message = 'hx_test and hx_prior must have the shape of hx'
            else if (any([size(y), size(r)] /= n_observations)) then
                write (message, '(3(a, i0))') 'observations: hx has ', n_observations, ', y ', size(y), ', r ', size(r)
            else if (any([size(mean), size(n_local), size(parameter_sign)] /= n_parameters)) then
                write (message, '(a, i0, a)') 'mean, n_local and parameter_sign must have ', n_parameters, ' elements'
            else if (any([size(prior_mean), size(prior_variance)] /= size(order))) then
                write (message, '(a, i0, a)') 'prior_mean and prior_variance must have ', size(order), ' elements'
            else if (kind == localization_bands .and. (any([size(parameter_lon), size(parameter_lat)] /= n_parameters) &
                     .or. any([size(observation_lon), size(observation_lat)] /= n_observations))) then
                message = 'longitudes and latitudes must be as many as parameters and observations'
            else if (kind == localization_bands .and. any([size(near_km), size(far_km)] /= n_observations)) then
                message = 'radii must be as many as observations'
            else if (kind == localization_weights .and. &
                     (any(shape(parameter_weights) /= [n_observations, n_parameters]) &
                      .or. any(shape(observation_weights) /= [n_observations, n_observations]))) then
                message = 'weights must have one row per parameter or observation and one column per observation'
            else
                call check_values()
            end if
        end subroutine check_sizes

        !> Numbers that the algebra cannot take.
        subroutine check_values()
            logical :: hx_finite

            status = status_bad_value
            message = ''
            if (size(x, 1) < 2) then
                write (message, '(a, i0)') 'at least 2 members are needed, found ', size(x, 1)
            else if (any(order < 1 .or. order > n_observations)) then
                message = 'order points outside the observations'
            else if (any(.not. r > 0.0_dp)) then
                message = 'an error variance is not positive'
            else if (spacing_km > 0.0_dp .and. (kind /= localization_bands .or. tested .or. any(parameter_sign /= 0) &
                                                .or. (max_sources > 0 .and. best_correlated))) then
                message = 'transforms can be interpolated only where localization is by distance alone'
            else if (n_threads < 1) then
                message = 'n_threads must be positive'
            else
                allocate (observation_mean(n_observations))
                call survey(x, n_threads, mean, moving_parameters, finite)
                call survey(hx_prior, n_threads, observation_mean, moving_values, hx_finite)
                !$omp parallel do num_threads(n_threads) default(none) shared(hx, hx_prior, n_observations)
                do i = 1, n_observations
                    hx(:, i) = hx_prior(:, i)
                end do
                !$omp end parallel do
                if (finite .and. hx_finite .and. ieee_is_finite(sum(y)) .and. ieee_is_finite(sum(r))) then
                    status = status_ok
                else
                    status = status_not_finite
                    message = 'x, hx, y or r holds NaN, infinity or numbers whose squares overflow'
                end if
            end if
        end subroutine check_values
    end subroutine analyse
end module gcas_filter_face
