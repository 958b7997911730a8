!> What Python sees of the analysis. Flat arrays in, status and message out; sizes are tested here.
module gcas_analysis_face
    use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
    use gcas_kinds, only: dp
    use gcas_sphere, only: great_circle_distance
    use gcas_status, only: status_bad_shape, status_not_finite, status_ok
    implicit none (type, external)
    private

    public :: great_circle_distances

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
end module gcas_analysis_face
