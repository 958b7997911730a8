!> What Python sees of the analysis. Flat arrays in, status and message out; sizes are tested here.
module gcas_analysis_face
    use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
    use gcas_ensemble_moments, only: ensemble_moments
    use gcas_kinds, only: dp, i4
    use gcas_sphere, only: great_circle_distance
    use gcas_status, only: status_bad_shape, status_bad_value, status_not_finite, status_ok
    implicit none (type, external)
    private

    public :: great_circle_distances, moments

contains

    !> Great-circle distances from every first place to every second place.
    subroutine great_circle_distances(lon1, lat1, lon2, lat2, distance, status, message)
        real(dp), intent(in) :: lon1(:)           !! longitudes of the first places (n1) [degree]
        real(dp), intent(in) :: lat1(:)           !! latitudes of the first places (n1) [degree]
        real(dp), intent(in) :: lon2(:)           !! longitudes of the second places (n2) [degree]
        real(dp), intent(in) :: lat2(:)           !! latitudes of the second places (n2) [degree]
        real(dp), intent(out) :: distance(:, :)   !! distances (n1, n2) [km]
        integer, intent(out) :: status            !! `status_ok`, `status_bad_shape` or `status_not_finite`
        character(len=256), intent(out) :: message !! what was wrong; blank when all went well
        integer :: j

        status = status_ok
        message = ''
        if (size(lat1) /= size(lon1) .or. size(lat2) /= size(lon2)) then
            status = status_bad_shape
            write (message, '(4(a, i0))') 'lon and lat differ in size: lon1 ', size(lon1), ', lat1 ', size(lat1), &
                ', lon2 ', size(lon2), ', lat2 ', size(lat2)
        else if (size(distance, 1) /= size(lon1) .or. size(distance, 2) /= size(lon2)) then
            status = status_bad_shape
            write (message, '(4(a, i0), a)') 'distance is (', size(distance, 1), ', ', size(distance, 2), &
                '), expected (', size(lon1), ', ', size(lon2), ')'
        else if (.not. (all(ieee_is_finite(lon1)) .and. all(ieee_is_finite(lat1)) &
                        .and. all(ieee_is_finite(lon2)) .and. all(ieee_is_finite(lat2)))) then
            status = status_not_finite
            message = 'a longitude or latitude is NaN or infinite'
        end if
        if (status /= status_ok) return

        !$omp parallel do default(none) shared(lon1, lat1, lon2, lat2, distance) schedule(static)
        do j = 1, size(lon2)
            distance(:, j) = great_circle_distance(lon1, lat1, lon2(j), lat2(j))
        end do
        !$omp end parallel do
    end subroutine great_circle_distances

    !> Mean and variance of ensembles, and which of them have any spread.
    subroutine moments(members, n_threads, mean, variance, differs, finite, status, message)
        real(dp), intent(in), contiguous :: members(:, :) !! (n_members, n)
        integer(i4), intent(in) :: n_threads      !! threads
        real(dp), intent(inout) :: mean(:)        !! (n)
        real(dp), intent(inout) :: variance(:)    !! sample variances, N - 1 (n)
        integer(i4), intent(inout) :: differs(:)  !! 1 where the members differ by more than rounding, else 0 (n)
        logical, intent(out) :: finite            !! all variances and means are numbers
        integer, intent(out) :: status            !! `status_ok`, `status_bad_shape` or `status_bad_value`
        character(len=256), intent(out) :: message !! what was wrong; blank when all went well

        finite = .false.
        status = status_bad_shape
        message = ''
        if (any([size(mean), size(variance), size(differs)] /= size(members, 2))) then
            write (message, '(a, i0, a)') 'mean, variance and differs must have ', size(members, 2), ' elements'
        else if (size(members, 1) < 2) then
            status = status_bad_value
            write (message, '(a, i0)') 'at least 2 members are needed, found ', size(members, 1)
        else if (n_threads < 1) then
            status = status_bad_value
            message = 'n_threads must be positive'
        else
            status = status_ok
            call ensemble_moments(members, n_threads, mean, variance, differs)
            finite = ieee_is_finite(sum(variance)) .and. ieee_is_finite(sum(mean))
        end if
    end subroutine moments
end module gcas_analysis_face
