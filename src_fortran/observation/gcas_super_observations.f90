!> Super-observations: the weighted mean of the observations of a cell; Jiang et al. (2021), eqs. 7-9.
module gcas_super_observations
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: average_groups

contains

    !> Average values and simulated values with weights 1/error**2, group by group.
    pure subroutine average_groups(value, error, hx, group, floor, correlation, group_value, group_error, group_hx)
        real(dp), intent(in) :: value(:)          !! observed values (n) [ppm]
        real(dp), intent(in) :: error(:)          !! their errors (n) [ppm]
        real(dp), intent(in) :: hx(:, :)          !! simulated values (n_members, n) [ppm]
        integer, intent(in) :: group(:)           !! group of each observation, from 1 (n)
        real(dp), intent(in) :: floor(:)          !! least error of a super-observation (n_groups) [ppm]
        real(dp), intent(in) :: correlation(:)    !! of the errors within a group (n_groups) [1]
        real(dp), intent(inout) :: group_value(:) !! (n_groups) [ppm]
        real(dp), intent(inout) :: group_error(:) !! (n_groups) [ppm]
        real(dp), intent(inout) :: group_hx(:, :) !! (n_members, n_groups) [ppm]
        integer :: count(size(group_value)), g, i
        integer :: first(size(group_value))
        real(dp) :: least(size(group_value)), weight, weights(size(group_value))

        count = 0
        weights = 0
        group_value = 0
        group_hx = 0
        ! Weights relative to the best of the group: neither tiny nor huge errors leave the range of squares.
        least = huge(least)
        do i = 1, size(value)
            least(group(i)) = min(least(group(i)), error(i))
        end do
        do i = 1, size(value)
            g = group(i)
            if (count(g) == 0) first(g) = i
            weight = (least(g)/error(i))**2
            count(g) = count(g) + 1
            weights(g) = weights(g) + weight
            ! Differences from the first of the group: a group of one keeps its values to the bit.
            group_value(g) = group_value(g) + weight*(value(i) - value(first(g)))
            group_hx(:, g) = group_hx(:, g) + weight*(hx(:, i) - hx(:, first(g)))
        end do
        do g = 1, size(group_value)
            group_value(g) = value(first(g)) + group_value(g)/weights(g)
            group_hx(:, g) = hx(:, first(g)) + group_hx(:, g)/weights(g)
            group_error(g) = max(least(g)*sqrt((1.0_dp + (count(g) - 1)*correlation(g))/weights(g)), floor(g))
        end do
    end subroutine average_groups
end module gcas_super_observations
