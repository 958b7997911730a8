!> Mean, variance and spread of many ensembles, each by itself.
module gcas_ensemble_moments
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: ensemble_moments

    real(dp), parameter :: least_range = 2.0e-150_dp !! range of members whose squares are still numbers

contains

    !> Moments of each ensemble; sums run in a fixed order, whatever the number of threads.
    subroutine ensemble_moments(members, n_threads, mean, variance, differs)
        real(dp), intent(in), contiguous :: members(:, :) !! (n_members, n)
        integer, intent(in) :: n_threads                  !! threads
        real(dp), intent(out) :: mean(:)                  !! (n)
        real(dp), intent(out) :: variance(:)              !! sample variances, N - 1 (n)
        integer, intent(out) :: differs(:)                !! 1 where the members differ by more than rounding, else 0 (n)
        integer :: i

        !$omp parallel do num_threads(n_threads) default(none) shared(members, mean, variance, differs) schedule(static)
        do i = 1, size(members, 2)
            call moments_of(members(:, i), mean(i), variance(i), differs(i))
        end do
        !$omp end parallel do
    end subroutine ensemble_moments

    !> The same of one ensemble.
    pure subroutine moments_of(members, mean, variance, differs)
        real(dp), intent(in), contiguous :: members(:)
        real(dp), intent(out) :: mean
        real(dp), intent(out) :: variance
        integer, intent(out) :: differs
        real(dp) :: highest, lowest
        integer :: m

        mean = 0
        highest = members(1)
        lowest = members(1)
        !$omp simd reduction(+:mean) reduction(max:highest) reduction(min:lowest)
        do m = 1, size(members)
            mean = mean + members(m)
            highest = max(highest, members(m))
            lowest = min(lowest, members(m))
        end do
        mean = mean/size(members)
        variance = 0
        !$omp simd reduction(+:variance)
        do m = 1, size(members)
            variance = variance + (members(m) - mean)**2
        end do
        variance = variance/(size(members) - 1)
        differs = merge(1, 0, highest - lowest > max(32.0_dp*epsilon(1.0_dp)*max(abs(highest), abs(lowest)), least_range))
    end subroutine moments_of
end module gcas_ensemble_moments
