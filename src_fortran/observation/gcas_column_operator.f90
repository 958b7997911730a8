!> The XCO2 operator with averaging kernels; Jiang et al. (2021), eq. 6.
!>
!> The mapping A of a model profile to the retrieval's levels is linear, so the whole operator is one weight per
!> model level and one constant: they are formed once a sounding and used for all members.
module gcas_column_operator
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: column_values, level_weights_linear, level_weights_layers

    real(dp), parameter :: ppm = 1.0e6_dp !! parts per million in a mole fraction of 1

contains

    !> XCO2 of one sounding for all members.
    pure subroutine column_values(layers, profile, pressure, retrieval_pressure, pressure_weight, averaging_kernel, &
                                  prior_profile, prior_xco2, values)
        logical, intent(in) :: layers                                !! mass-conserving mapping, else linear in pressure
        real(dp), intent(in), contiguous :: profile(:, :)            !! model mole fractions, top first (n_levels, n_members)
        real(dp), intent(in), contiguous :: pressure(:)              !! mid-levels (n_levels), or interfaces (n_levels + 1) [Pa]
        real(dp), intent(in), contiguous :: retrieval_pressure(:)    !! levels, top first (n_retrieval) [Pa]
        real(dp), intent(in), contiguous :: pressure_weight(:)       !! h (n_retrieval) [1]
        real(dp), intent(in), contiguous :: averaging_kernel(:)      !! k (n_retrieval) [1]
        real(dp), intent(in), contiguous :: prior_profile(:)         !! y_b (n_retrieval) [mol mol-1]
        real(dp), intent(in) :: prior_xco2                           !! XCO2_b [ppm]
        real(dp), intent(inout), contiguous :: values(:)             !! XCO2 (n_members) [ppm]
        real(dp) :: constant, product, weights(size(profile, 1))
        integer :: level, member

        if (layers) then
            call level_weights_layers(pressure, retrieval_pressure, pressure_weight*averaging_kernel, weights)
        else
            call level_weights_linear(pressure, retrieval_pressure, pressure_weight*averaging_kernel, weights)
        end if
        constant = prior_xco2 - ppm*sum(pressure_weight*averaging_kernel*prior_profile)
        do member = 1, size(profile, 2)
            product = 0
            !$omp simd reduction(+:product)
            do level = 1, size(profile, 1)
                product = product + weights(level)*profile(level, member)
            end do
            values(member) = constant + ppm*product
        end do
    end subroutine column_values

    !> Weights of the model's levels when A is linear in pressure between mid-levels, constant beyond the outer ones.
    pure subroutine level_weights_linear(pressure, retrieval_pressure, kernel, weights)
        real(dp), intent(in) :: pressure(:)           !! mid-levels, top first (n_levels) [Pa]
        real(dp), intent(in) :: retrieval_pressure(:) !! levels, top first (n_retrieval) [Pa]
        real(dp), intent(in) :: kernel(:)             !! h k (n_retrieval) [1]
        real(dp), intent(out) :: weights(:)           !! (n_levels) [1]
        real(dp) :: share
        integer :: j, level

        weights = 0
        level = 1
        do j = 1, size(retrieval_pressure)
            do while (level < size(pressure))
                if (pressure(level + 1) >= retrieval_pressure(j)) exit
                level = level + 1
            end do
            if (level == size(pressure)) then
                weights(level) = weights(level) + kernel(j)
            else
                share = (retrieval_pressure(j) - pressure(level))/(pressure(level + 1) - pressure(level))
                share = max(share, 0.0_dp)
                weights(level) = weights(level) + (1.0_dp - share)*kernel(j)
                weights(level + 1) = weights(level + 1) + share*kernel(j)
            end if
        end do
    end subroutine level_weights_linear

    !> Weights of the model's layers when A is the mean, by mass, over the layer that a retrieval level stands for: from
    !> half-way to the level above to half-way to the level below, ending at the outer levels; a single level stands for all
    !> air above it. The model's outer layers reach as far as the retrieval.
    pure subroutine level_weights_layers(interfaces, retrieval_pressure, kernel, weights)
        real(dp), intent(in) :: interfaces(:)         !! of the model's layers, top first (n_levels + 1) [Pa]
        real(dp), intent(in) :: retrieval_pressure(:) !! levels, top first (n_retrieval) [Pa]
        real(dp), intent(in) :: kernel(:)             !! h k (n_retrieval) [1]
        real(dp), intent(out) :: weights(:)           !! (n_levels) [1]
        real(dp) :: bottom, lower, top, upper
        integer :: first, j, level, n, n_levels

        weights = 0
        n = size(retrieval_pressure)
        n_levels = size(weights)
        first = 1
        do j = 1, n
            top = retrieval_pressure(j)
            bottom = retrieval_pressure(j)
            if (n == 1) top = 0
            if (j > 1) top = 0.5_dp*(retrieval_pressure(j - 1) + retrieval_pressure(j))
            if (j < n) bottom = 0.5_dp*(retrieval_pressure(j) + retrieval_pressure(j + 1))
            do level = first, n_levels
                upper = max(top, interfaces(level))
                lower = min(bottom, interfaces(level + 1))
                if (level == 1) upper = top
                if (level == n_levels) lower = bottom
                if (lower > upper) weights(level) = weights(level) + kernel(j)*(lower - upper)/(bottom - top)
                if (level < n_levels .and. interfaces(level + 1) < bottom) first = level + 1
            end do
        end do
    end subroutine level_weights_layers
end module gcas_column_operator
