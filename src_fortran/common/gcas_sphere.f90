!> Geometry on the sphere.
module gcas_sphere
    use gcas_constants, only: earth_radius, radians_per_degree
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: great_circle_distance, unit_vector, unit_vector_distance

    real(dp), parameter :: metres_per_kilometre = 1000.0_dp

contains

    !> Point on the unit sphere.
    pure function unit_vector(lon, lat) result(vector)
        real(dp), intent(in) :: lon !! longitude, any branch [degree]
        real(dp), intent(in) :: lat !! latitude [degree]
        real(dp) :: vector(3)       !! x to (0E, 0N), y to (90E, 0N), z to the north pole [1]
        real(dp) :: cos_lat

        cos_lat = cos(lat*radians_per_degree)
        vector(1) = cos_lat*cos(lon*radians_per_degree)
        vector(2) = cos_lat*sin(lon*radians_per_degree)
        vector(3) = sin(lat*radians_per_degree)
    end function unit_vector

    !> Great-circle distance between two unit vectors, by the angle's sine and cosine together: accurate for
    !> neighbours and for antipodes, where acos of a scalar product, or asin of a chord, loses half its digits.
    pure function unit_vector_distance(u, v) result(distance)
        real(dp), intent(in) :: u(3) !! unit vector [1]
        real(dp), intent(in) :: v(3) !! unit vector [1]
        real(dp) :: distance         !! [km]
        real(dp) :: cross(3)

        cross(1) = u(2)*v(3) - u(3)*v(2)
        cross(2) = u(3)*v(1) - u(1)*v(3)
        cross(3) = u(1)*v(2) - u(2)*v(1)
        distance = earth_radius/metres_per_kilometre*atan2(sqrt(dot_product(cross, cross)), dot_product(u, v))
    end function unit_vector_distance

    !> Great-circle distance between two places; Vincenty (1975) on the sphere. As `unit_vector_distance`, but from
    !> differences of longitude, so that it is accurate to the last digits also for places metres apart.
    pure elemental function great_circle_distance(lon1, lat1, lon2, lat2) result(distance)
        real(dp), intent(in) :: lon1 !! longitude of the first place, any branch [degree]
        real(dp), intent(in) :: lat1 !! latitude of the first place [degree]
        real(dp), intent(in) :: lon2 !! longitude of the second place, any branch [degree]
        real(dp), intent(in) :: lat2 !! latitude of the second place [degree]
        real(dp) :: distance         !! [km]
        real(dp) :: half_lon, half_lat, cos1, cos2, sin_half2, cos_half2

        half_lon = 0.5_dp*(lon2 - lon1)*radians_per_degree
        half_lat = 0.5_dp*(lat2 - lat1)*radians_per_degree
        cos1 = cos(lat1*radians_per_degree)
        cos2 = cos(lat2*radians_per_degree)
        ! Squares of sine and cosine of half the angle, both as sums of squares: nothing cancels anywhere.
        sin_half2 = sin(half_lat)**2 + cos1*cos2*sin(half_lon)**2
        cos_half2 = sin(0.5_dp*(lat1 + lat2)*radians_per_degree)**2*sin(half_lon)**2 &
                    + cos(half_lat)**2*cos(half_lon)**2
        distance = 2.0_dp*earth_radius/metres_per_kilometre*atan2(sqrt(max(sin_half2, 0.0_dp)), sqrt(cos_half2))
    end function great_circle_distance
end module gcas_sphere
