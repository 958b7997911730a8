!> Which observation updates what, and how much: the settings of a localization and the rules that decide on pairs.
!>
!> Bands of distance with a test of the correlation (Jiang et al. 2021, section 2.1.3): near pairs are accepted where the
!> signed correlation is positive, pairs of the far band where it is significant, others are rejected.
module gcas_localization
    use gcas_kinds, only: dp
    use gcas_taper, only: chord_squared_of_distance, taper_scale_of_distance
    implicit none (type, external)
    private

    public :: localization_none, localization_weights, localization_bands
    public :: localization, observation_radii, acceptance_limits, keep_best

    integer, parameter :: localization_none = 0    !! every observation updates everything
    integer, parameter :: localization_weights = 1 !! weights given by the caller
    integer, parameter :: localization_bands = 2   !! bands of distance, test, taper

    type :: localization
        integer :: kind = localization_none
        real(dp) :: critical_one_sided = 0  !! critical correlation where the sign rule holds
        real(dp) :: critical_two_sided = 0  !! critical correlation elsewhere
        logical :: tested = .false.         !! the far band needs a significant correlation
        logical :: tapered = .false.        !! Gaspari-Cohn weights
        integer :: max_sources = 0          !! at most this many observations per target; 0: no limit
        logical :: best_correlated = .false. !! the limit keeps the best correlated, not the nearest
    end type localization

    !> Radii of both bands, one pair an observation, in the form in which they are compared. A pair's radii are those of the
    !> observation that updates, whatever it updates.
    type :: observation_radii
        real(dp), allocatable :: near_chord2(:) !! squares of the chords of the near band's radii (n)
        real(dp), allocatable :: far_chord2(:)  !! squares of the chords of the far band's radii (n)
        real(dp), allocatable :: reach(:)       !! chords of the far band's radii (n)
        real(dp), allocatable :: taper_scale(:) !! what makes distances over the taper's half-width of half angles (n)
    contains
        procedure :: set
    end type observation_radii

contains

    !> Set the radii of both bands.
    pure subroutine set(self, near_km, far_km)
        class(observation_radii), intent(inout) :: self
        real(dp), intent(in) :: near_km(:) !! radii of the near band (n) [km]
        real(dp), intent(in) :: far_km(:)  !! radii of the far band (n) [km]

        self%near_chord2 = chord_squared_of_distance(near_km)
        self%far_chord2 = chord_squared_of_distance(far_km)
        self%reach = sqrt(self%far_chord2)
        self%taper_scale = taper_scale_of_distance(far_km)
    end subroutine set

    !> A pair is accepted where `sign*r` (sign /= 0) or `|r|` (sign = 0) is greater than its band's limit.
    pure subroutine acceptance_limits(local, sign, near, far, needed)
        type(localization), intent(in) :: local
        integer, intent(in) :: sign     !! sign that r must have; 0: no rule
        real(dp), intent(out) :: near   !! limit of the near band
        real(dp), intent(out) :: far    !! limit of the far band
        logical, intent(out) :: needed  !! correlations are needed at all

        near = merge(0.0_dp, -1.0_dp, sign /= 0)
        far = near
        if (local%tested) far = merge(local%critical_one_sided, local%critical_two_sided, sign /= 0)
        needed = sign /= 0 .or. local%tested .or. (local%max_sources > 0 .and. local%best_correlated)
    end subroutine acceptance_limits

    !> Mark the `n_keep` entries of smallest key; among equal keys the earlier ones.
    pure subroutine keep_best(keys, n_keep, keep)
        real(dp), intent(in) :: keys(:)   !! smaller is better (n)
        integer, intent(in) :: n_keep     !! how many are kept
        logical, intent(out) :: keep(:)   !! (n)
        real(dp), allocatable :: work(:)
        real(dp) :: pivot, held
        integer :: i, j, left, right, n_ties

        keep = .true.
        if (size(keys) <= n_keep) return
        work = keys
        left = 1
        right = size(work)
        do while (left < right)
            pivot = work((left + right)/2)
            i = left
            j = right
            do
                do while (work(i) < pivot)
                    i = i + 1
                end do
                do while (work(j) > pivot)
                    j = j - 1
                end do
                if (i <= j) then
                    held = work(i)
                    work(i) = work(j)
                    work(j) = held
                    i = i + 1
                    j = j - 1
                end if
                if (i > j) exit
            end do
            if (j < n_keep) left = i
            if (i > n_keep) right = j
        end do
        pivot = work(n_keep)
        keep = keys < pivot
        n_ties = n_keep - count(keep)
        do i = 1, size(keys)
            if (n_ties == 0) exit
            if (keys(i) == pivot) then
                keep(i) = .true.
                n_ties = n_ties - 1
            end if
        end do
    end subroutine keep_best
end module gcas_localization
