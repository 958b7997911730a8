!> What the innovations of a prior ensemble say about its spread: sums over observations and members.
module gcas_innovation
    use gcas_kinds, only: dp
    use gcas_letkf_kernels, only: add_products, mirror, n_rows, panels_of
    use gcas_pair_kernels, only: dot
    implicit none (type, external)
    private

    public :: innovation_sums

    integer, parameter :: chunk = 128 !! observations whose products are summed together

contains

    !> dᵀ R⁻¹ d, and with B = R^(-1/2) HPHᵀ R^(-1/2) of the sample the traces of B and of B B.
    subroutine innovation_sums(hx, y, r, quadratic, trace, trace_of_square)
        real(dp), intent(in), contiguous :: hx(:, :) !! simulated values (n_members, n_observations)
        real(dp), intent(in) :: y(:)                 !! observed values (n_observations)
        real(dp), intent(in) :: r(:)                 !! error variances (n_observations)
        real(dp), intent(out) :: quadratic
        real(dp), intent(out) :: trace
        real(dp), intent(out) :: trace_of_square
        real(dp), allocatable :: panels(:, :, :), products(:, :), perturbations(:)
        real(dp) :: mean
        integer :: first, i, n, n_panels, n_together, panel

        n = size(hx, 1)
        n_panels = panels_of(n)
        allocate (products(n_rows*n_panels, n_rows*n_panels), perturbations(n_rows*n_panels))
        quadratic = 0
        trace = 0
        products = 0
        perturbations = 0
        do first = 1, size(y), chunk
            n_together = min(chunk, size(y) - first + 1)
            if (allocated(panels)) then
                if (size(panels, 2) /= n_together) deallocate (panels)
            end if
            if (.not. allocated(panels)) allocate (panels(n_rows, n_together, n_panels))
            do i = 1, n_together
                mean = sum(hx(:, first + i - 1))/n
                quadratic = quadratic + (y(first + i - 1) - mean)**2/r(first + i - 1)
                perturbations(1:n) = (hx(:, first + i - 1) - mean)/sqrt((n - 1)*r(first + i - 1))
                trace = trace + dot(perturbations, perturbations)
                do panel = 1, n_panels
                    panels(:, i, panel) = perturbations(n_rows*(panel - 1) + 1:n_rows*panel)
                end do
            end do
            call add_products(n_panels, n_together, panels, products)
        end do
        call mirror(n_rows*n_panels, products)
        trace_of_square = 0
        do i = 1, n
            trace_of_square = trace_of_square + dot(products(:, i), products(:, i))
        end do
    end subroutine innovation_sums
end module gcas_innovation
