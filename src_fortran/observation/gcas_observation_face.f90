!> What Python sees of the observation operators. Flat arrays in, status and message out.
module gcas_observation_face
    use gcas_column_operator, only: column_values
    use gcas_kinds, only: dp, i4
    use gcas_status, only: status_bad_shape, status_bad_value, status_ok
    use gcas_super_observations, only: average_groups
    implicit none (type, external)
    private

    public :: xco2_columns, super_observe

contains

    !> XCO2 with averaging kernels for every sounding and member; Jiang et al. (2021), eq. 6.
    subroutine xco2_columns(layers, profile, pressure, retrieval_pressure, pressure_weight, averaging_kernel, &
                            prior_profile, prior_xco2, n_threads, values, status, message)
        logical, intent(in) :: layers                   !! mass-conserving mapping, else linear in pressure
        real(dp), intent(in) :: profile(:, :, :)        !! dry air, top first (n_levels, n_members, n_soundings) [mol mol-1]
        real(dp), intent(in) :: pressure(:, :)          !! mid-levels, or interfaces for layers (n, n_soundings) [Pa]
        real(dp), intent(in) :: retrieval_pressure(:, :) !! levels, top first (n_retrieval, n_soundings) [Pa]
        real(dp), intent(in) :: pressure_weight(:, :)   !! (n_retrieval, n_soundings) [1]
        real(dp), intent(in) :: averaging_kernel(:, :)  !! (n_retrieval, n_soundings) [1]
        real(dp), intent(in) :: prior_profile(:, :)     !! (n_retrieval, n_soundings) [mol mol-1]
        real(dp), intent(in) :: prior_xco2(:)           !! (n_soundings) [ppm]
        integer(i4), intent(in) :: n_threads            !! threads
        real(dp), intent(inout) :: values(:, :)         !! XCO2 (n_members, n_soundings) [ppm]
        integer, intent(out) :: status                  !! `status_ok`, `status_bad_shape` or `status_bad_value`
        character(len=256), intent(out) :: message      !! what was wrong; blank when all went well
        integer :: i, n_levels, n_soundings, wrong

        n_levels = size(profile, 1)
        n_soundings = size(profile, 3)
        status = status_bad_shape
        message = ''
        if (any([size(pressure, 2), size(retrieval_pressure, 2), size(pressure_weight, 2), size(averaging_kernel, 2), &
                 size(prior_profile, 2), size(prior_xco2), size(values, 2)] /= n_soundings)) then
            write (message, '(a, i0)') 'arrays differ in the number of soundings, expected ', n_soundings
        else if (any([size(pressure_weight, 1), size(averaging_kernel, 1), size(prior_profile, 1)] &
                     /= size(retrieval_pressure, 1))) then
            write (message, '(a, i0)') 'arrays differ in the number of retrieval levels, expected ', &
                size(retrieval_pressure, 1)
        else if (size(pressure, 1) /= merge(n_levels + 1, n_levels, layers) .or. n_levels < 1 &
                 .or. size(retrieval_pressure, 1) < 1) then
            write (message, '(2(a, i0))') 'pressure has ', size(pressure, 1), ' levels, expected ', &
                merge(n_levels + 1, n_levels, layers)
        else if (size(values, 1) /= size(profile, 2)) then
            message = 'values and profile differ in the number of members'
        else
            status = status_ok
        end if
        if (status /= status_ok) return

        wrong = n_soundings + 1
        !$omp parallel do num_threads(n_threads) default(none) schedule(static) reduction(min:wrong) &
        !$omp     shared(layers, profile, pressure, retrieval_pressure, pressure_weight, averaging_kernel) &
        !$omp     shared(prior_profile, prior_xco2, values, n_soundings)
        do i = 1, n_soundings
            if (first_fault(pressure(:, i), layers) + first_fault(retrieval_pressure(:, i), .true.) == 0) then
                call column_values(layers, profile(:, :, i), pressure(:, i), retrieval_pressure(:, i), &
                                   pressure_weight(:, i), averaging_kernel(:, i), prior_profile(:, i), &
                                   prior_xco2(i), values(:, i))
            else
                wrong = min(wrong, i)
            end if
        end do
        !$omp end parallel do
        if (wrong <= n_soundings) then
            status = status_bad_value
            if (first_fault(pressure(:, wrong), layers) > 0) then
                message = fault_text('model', wrong, pressure(:, wrong), first_fault(pressure(:, wrong), layers))
            else
                message = fault_text('retrieval', wrong, retrieval_pressure(:, wrong), &
                                     first_fault(retrieval_pressure(:, wrong), .true.))
            end if
        end if
    end subroutine xco2_columns

    !> The first level whose pressure is not above the last one's; 1 where the top's is negative, or is zero and may not be; 0 if
    !> all is well.
    pure integer function first_fault(pressure, zero_allowed)
        real(dp), intent(in) :: pressure(:)  !! top first [Pa]
        logical, intent(in) :: zero_allowed  !! on top: interfaces and retrieval levels may end in space
        integer :: level

        first_fault = 1
        if (.not. (pressure(1) > 0.0_dp .or. (zero_allowed .and. pressure(1) >= 0.0_dp))) return
        do level = 2, size(pressure)
            first_fault = level
            if (.not. pressure(level) > pressure(level - 1)) return
        end do
        first_fault = 0
    end function first_fault

    !> What is wrong with a sounding's pressures; counted from 0.
    pure function fault_text(what, sounding, pressure, level) result(text)
        character(len=*), intent(in) :: what !! 'model' or 'retrieval'
        integer, intent(in) :: sounding      !! from 1
        real(dp), intent(in) :: pressure(:)  !! of its levels [Pa]
        integer, intent(in) :: level         !! the one at fault, from 1
        character(len=256) :: text

        if (level == 1) then
            write (text, '(3a, i0, a, es11.4, a)') 'the ', what, ' pressures of sounding ', sounding - 1, &
                ' are not positive: ', pressure(1), ' Pa on top'
        else
            write (text, '(3a, i0, 2(a, es11.4), a, i0)') 'the ', what, ' pressures of sounding ', sounding - 1, &
                ' do not increase from the top down:', pressure(level), ' Pa after', pressure(level - 1), ' Pa at level ', level - 1
        end if
    end function fault_text

    !> Weighted means of groups of observations; Jiang et al. (2021), eqs. 7-9.
    subroutine super_observe(value, error, hx, group, floor, correlation, group_value, group_error, group_hx, status, message)
        real(dp), intent(in) :: value(:)           !! observed values (n) [ppm]
        real(dp), intent(in) :: error(:)           !! their errors (n) [ppm]
        real(dp), intent(in) :: hx(:, :)           !! simulated values (n_members, n) [ppm]
        integer(i4), intent(in) :: group(:)        !! group of each observation, from 1 (n)
        real(dp), intent(in) :: floor(:)           !! least error of a super-observation (n_groups) [ppm]
        real(dp), intent(in) :: correlation(:)     !! of the errors within a group (n_groups) [1]
        real(dp), intent(inout) :: group_value(:)  !! (n_groups) [ppm]
        real(dp), intent(inout) :: group_error(:)  !! (n_groups) [ppm]
        real(dp), intent(inout) :: group_hx(:, :)  !! (n_members, n_groups) [ppm]
        integer, intent(out) :: status             !! `status_ok`, `status_bad_shape` or `status_bad_value`
        character(len=256), intent(out) :: message !! what was wrong; blank when all went well
        integer :: n_groups

        n_groups = size(group_value)
        status = status_bad_shape
        message = ''
        if (any([size(error), size(hx, 2), size(group)] /= size(value))) then
            write (message, '(a, i0)') 'arrays differ in the number of observations, expected ', size(value)
        else if (any([size(floor), size(correlation), size(group_error), size(group_hx, 2)] /= n_groups) &
                 .or. size(group_hx, 1) /= size(hx, 1)) then
            write (message, '(a, i0)') 'arrays differ in the number of groups, expected ', n_groups
        else if (any(group < 1 .or. group > n_groups)) then
            status = status_bad_value
            message = 'group points outside the groups'
        else
            status = status_ok
            call average_groups(value, error, hx, group, floor, correlation, group_value, group_error, group_hx)
        end if
    end subroutine super_observe
end module gcas_observation_face
