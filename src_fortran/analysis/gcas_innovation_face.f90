!> What Python sees of the innovation statistic. Flat arrays in, status and message out; sizes are tested here.
module gcas_innovation_face
    use gcas_innovation, only: innovation_sums
    use gcas_kinds, only: dp
    use gcas_status, only: status_bad_shape, status_ok
    implicit none (type, external)
    private

    public :: innovation_moments

contains

    !> Sums over the innovations d of a prior ensemble; Wang & Bishop (2003), eq. 16, and what its sampling error needs.
    subroutine innovation_moments(hx, y, r, quadratic, trace, trace_of_square, status, message)
        real(dp), intent(in), contiguous :: hx(:, :) !! simulated values (n_members, n_observations)
        real(dp), intent(in) :: y(:)                 !! observed values (n_observations)
        real(dp), intent(in) :: r(:)                 !! error variances (n_observations)
        real(dp), intent(out) :: quadratic           !! dᵀ R⁻¹ d
        real(dp), intent(out) :: trace               !! of B = R^(-1/2) HPHᵀ R^(-1/2), of the sample
        real(dp), intent(out) :: trace_of_square     !! of B B
        integer, intent(out) :: status               !! `status_ok` or `status_bad_shape`
        character(len=256), intent(out) :: message   !! what was wrong; blank when all went well

        quadratic = 0
        trace = 0
        trace_of_square = 0
        status = status_bad_shape
        if (size(hx, 1) < 2) then
            write (message, '(a, i0)') 'at least 2 members are needed, found ', size(hx, 1)
        else if (any([size(y), size(r)] /= size(hx, 2))) then
            write (message, '(3(a, i0))') 'observations: hx has ', size(hx, 2), ', y ', size(y), ', r ', size(r)
        else
            status = status_ok
            message = ''
            call innovation_sums(hx, y, r, quadratic, trace, trace_of_square)
        end if
    end subroutine innovation_moments
end module gcas_innovation_face
