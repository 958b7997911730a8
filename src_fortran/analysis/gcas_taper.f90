!> From chords on the unit sphere to distances and to the taper of Gaspari & Cohn (1999).
!>
!> Distances are needed for every pair within reach, so all of this is written to be vectorised: no calls of the
!> mathematical library, no branches.
module gcas_taper
    use gcas_constants, only: earth_radius, pi
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: chord_squared_of_distance, taper_scale_of_distance, taper_column, taper_places

    real(dp), parameter :: radius_km = earth_radius/1000.0_dp
    real(dp), parameter :: narrow = 1.0_dp !! squared chord of 60 degrees: nearer, arcsines are short

    !> asin(sqrt(z))/sqrt(z) on 0 <= z <= 1/4: interpolation at the Chebyshev points, error below 2e-17.
    real(dp), parameter :: arcsine(0:12) = [ &
        1.00000000000000000e+00_dp, &
        1.66666666666649421e-01_dp, &
        7.50000000038520132e-02_dp, &
        4.46428568059989359e-02_dp, &
        3.03819596976851389e-02_dp, &
        2.23717497331640536e-02_dp, &
        1.73597796413499789e-02_dp, &
        1.38848428264020801e-02_dp, &
        1.21701385923917264e-02_dp, &
        6.52930200473656776e-03_dp, &
        1.95134682512521709e-02_dp, &
        -1.61873922715991374e-02_dp, &
        3.18796214008128451e-02_dp &
        ]

contains

    !> Square of the chord that belongs to a great-circle distance; beyond half the circumference more than any chord.
    pure elemental real(dp) function chord_squared_of_distance(distance) result(chord2)
        real(dp), intent(in) :: distance !! [km]

        if (distance >= pi*radius_km) then
            chord2 = 5.0_dp
        else
            chord2 = 4.0_dp*sin(0.5_dp*distance/radius_km)**2
        end if
    end function chord_squared_of_distance

    !> What half the angle between two places is multiplied with to give their distance over the taper's half-width.
    pure elemental real(dp) function taper_scale_of_distance(distance) result(scale)
        real(dp), intent(in) :: distance !! where the taper reaches 0, twice its half-width [km]

        scale = 4.0_dp*radius_km/distance
    end function taper_scale_of_distance

    !> Tapers of Gaspari & Cohn (1999), eq. 4.10, between one target and its listed sources.
    pure subroutine taper_column(n, list, far_chord2, scale, chord2, weight)
        integer, intent(in) :: n                         !! sources
        integer, intent(in) :: list(n)                   !! their numbers
        real(dp), intent(in), contiguous :: far_chord2(:) !! squared chords where the tapers reach 0, of all sources
        real(dp), intent(in), contiguous :: scale(:)     !! from half angle to distance over half-width, of all sources
        real(dp), intent(in) :: chord2(n)                !! squared chords to the target
        real(dp), intent(out) :: weight(n)               !! tapers, 0 to 1
        integer :: i

        if (all(far_chord2(list) <= narrow)) then
            !$omp simd
            do i = 1, n
                weight(i) = gaspari_cohn(narrow_half_angle(chord2(i))*scale(list(i)))
            end do
        else
            !$omp simd
            do i = 1, n
                weight(i) = gaspari_cohn(half_angle(chord2(i))*scale(list(i)))
            end do
        end if
    end subroutine taper_column

    !> The same between the places of a block and its listed sources.
    pure subroutine taper_places(width, n_list, list, far_chord2, scale, chord2, weight)
        integer, intent(in) :: width                     !! places, a multiple of 8
        integer, intent(in) :: n_list                    !! sources
        integer, intent(in) :: list(n_list)              !! their numbers
        real(dp), intent(in), contiguous :: far_chord2(:) !! squared chords where the tapers reach 0, of all sources
        real(dp), intent(in), contiguous :: scale(:)     !! from half angle to distance over half-width, of all sources
        real(dp), intent(in) :: chord2(width, n_list)    !! squared chords
        real(dp), intent(out) :: weight(width, n_list)   !! tapers, 0 to 1
        integer, parameter :: strip = 8
        integer :: first, i, place

        do i = 1, n_list
            do first = 0, width - strip, strip
                if (far_chord2(list(i)) <= narrow) then
                    !$omp simd
                    do place = first + 1, first + strip
                        weight(place, i) = gaspari_cohn(narrow_half_angle(chord2(place, i))*scale(list(i)))
                    end do
                else
                    !$omp simd
                    do place = first + 1, first + strip
                        weight(place, i) = gaspari_cohn(half_angle(chord2(place, i))*scale(list(i)))
                    end do
                end if
            end do
        end do
    end subroutine taper_places

    !> Half the angle of a chord, up to 60 degrees of angle; beyond, that of 60 degrees.
    pure elemental real(dp) function narrow_half_angle(chord2) result(angle)
        !$omp declare simd(narrow_half_angle)
        real(dp), intent(in) :: chord2 !! square of the chord on the unit sphere

        angle = arc_over_two(min(0.25_dp*chord2, 0.25_dp))
    end function narrow_half_angle

    !> Half the angle of any chord.
    pure elemental real(dp) function half_angle(chord2) result(angle)
        !$omp declare simd(half_angle)
        real(dp), intent(in) :: chord2 !! square of the chord on the unit sphere
        real(dp) :: quarter

        quarter = min(0.25_dp*chord2, 1.0_dp)
        angle = arc_over_two(min(quarter, 0.25_dp))
        ! Beyond 60 degrees by the half angle of the complement: asin s = pi/2 - 2 asin sqrt((1 - s)/2).
        if (quarter > 0.25_dp) angle = 0.5_dp*pi - 2.0_dp*arc_over_two(0.5_dp*max(1.0_dp - sqrt(quarter), 0.0_dp))
    end function half_angle

    !> asin(sqrt(z)), 0 <= z <= 1/4: half the angle whose squared chord is 4 z.
    pure elemental real(dp) function arc_over_two(z) result(arc)
        !$omp declare simd(arc_over_two)
        real(dp), intent(in) :: z !! a quarter of the squared chord

        arc = sqrt(z)*(arcsine(0) + z*(arcsine(1) + z*(arcsine(2) + z*(arcsine(3) + z*(arcsine(4) &
              + z*(arcsine(5) + z*(arcsine(6) + z*(arcsine(7) + z*(arcsine(8) + z*(arcsine(9) &
              + z*(arcsine(10) + z*(arcsine(11) + z*arcsine(12)))))))))))))
    end function arc_over_two

    !> The taper as a function of distance over half-width; the outer piece in its factored form, which cannot become negative.
    pure elemental real(dp) function gaspari_cohn(q) result(weight)
        !$omp declare simd(gaspari_cohn)
        real(dp), intent(in) :: q !! distance over half-width, >= 0
        real(dp) :: inner, outer, rest

        inner = 1.0_dp - q*q*(5.0_dp/3.0_dp - q*(0.625_dp + q*(0.5_dp - 0.25_dp*q)))
        rest = max(2.0_dp - q, 0.0_dp)**2
        outer = rest*rest*(q*(q + 2.0_dp) - 0.5_dp)/(12.0_dp*max(q, 0.5_dp))
        weight = merge(inner, outer, q <= 1.0_dp)
    end function gaspari_cohn
end module gcas_taper
