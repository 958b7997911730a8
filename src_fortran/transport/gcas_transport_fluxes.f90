!> Air-mass fluxes through cell walls from winds on cell centres, made consistent with the surface pressure's change.
!>
!> Fluxes are amounts of air per step [kg]. The pressure fixer adds to the column flux the gradient of a potential that
!> makes the column's mass change what the surface pressure asks for (the smallest such correction in the sense of least
!> squares over the walls), spread over the layers as their mass depends on surface pressure (after Cameron-Smith et al. 2002).
module gcas_transport_fluxes
    use gcas_constants, only: earth_radius, gravity, pi, radians_per_degree
    use gcas_kinds, only: dp
    use gcas_status, only: status_bad_value, status_not_finite, status_ok
    implicit none (type, external)
    private

    public :: layer_mass, wind_mass_fluxes, fix_column_mass, uniform_shift

contains

    !> Mass of air in every cell [kg] for a surface pressure.
    subroutine layer_mass(n_threads, a_interface, b_interface, area, surface_pressure, mass)
        integer, intent(in) :: n_threads                  !! OpenMP threads [1]
        real(dp), intent(in) :: a_interface(:)            !! pressure part of the interfaces (n_lev+1) [Pa]
        real(dp), intent(in) :: b_interface(:)            !! part that follows surface pressure (n_lev+1) [1]
        real(dp), intent(in) :: area(:)                   !! area of a cell of each row (n_lat) [m2]
        real(dp), intent(in) :: surface_pressure(:, :)    !! (n_lon, n_lat) [Pa]
        real(dp), intent(out) :: mass(:, :, :)            !! (n_lon, n_lat, n_lev) [kg]
        integer :: j, k

        !$omp parallel do default(none) num_threads(n_threads) private(j) &
        !$omp shared(mass, a_interface, b_interface, area, surface_pressure) schedule(static)
        do k = 1, size(mass, 3)
            do j = 1, size(mass, 2)
                mass(:, j, k) = ((a_interface(k + 1) - a_interface(k)) &
                                 + (b_interface(k + 1) - b_interface(k))*surface_pressure(:, j))*(area(j)/gravity)
            end do
        end do
        !$omp end parallel do
    end subroutine layer_mass

    !> Shift of the met's surface pressure that gives it the mean of the model's; both means over area.
    pure function uniform_shift(area, model_pressure, met_pressure) result(shift)
        real(dp), intent(in) :: area(:)              !! area of a cell of each row (n_lat) [m2]
        real(dp), intent(in) :: model_pressure(:, :) !! (n_lon, n_lat) [Pa]
        real(dp), intent(in) :: met_pressure(:, :)   !! (n_lon, n_lat) [Pa]
        real(dp) :: shift                            !! [Pa]
        integer :: j

        shift = 0.0_dp
        do j = 1, size(area)
            shift = shift + area(j)*sum(model_pressure(:, j) - met_pressure(:, j))
        end do
        shift = shift/(sum(area)*size(model_pressure, 1))
    end function uniform_shift

    !> Amounts of air carried through the walls in a step by winds on cell centres, before the fixer.
    subroutine wind_mass_fluxes(n_threads, a_interface, b_interface, lat_edges, timestep, u, v, pressure, &
                                zonal, meridional, status, message)
        integer, intent(in) :: n_threads              !! OpenMP threads [1]
        real(dp), intent(in) :: a_interface(:)        !! (n_lev+1) [Pa]
        real(dp), intent(in) :: b_interface(:)        !! (n_lev+1) [1]
        real(dp), intent(in) :: lat_edges(:)          !! row edges (n_lat+1) [degree]
        real(dp), intent(in) :: timestep              !! [s]
        real(dp), intent(in) :: u(:, :, :)            !! eastward wind (n_lon, n_lat, n_lev) [m s-1]
        real(dp), intent(in) :: v(:, :, :)            !! northward wind (n_lon, n_lat, n_lev) [m s-1]
        real(dp), intent(in) :: pressure(:, :)        !! surface pressure at mid-step (n_lon, n_lat) [Pa]
        real(dp), intent(out) :: zonal(:, :, :)       !! through western walls (n_lon, n_lat, n_lev) [kg]
        real(dp), intent(out) :: meridional(:, :, :)  !! through southern walls (n_lon, n_lat+1, n_lev) [kg]
        integer, intent(out) :: status                !! status table
        character(len=*), intent(out) :: message      !! empty unless status tells otherwise
        real(dp) :: length, width, carried(size(u, 1)), below(size(u, 1)), thickness(size(u, 1))
        logical :: finite(size(u, 3))
        integer :: n_lon, n_lat, i, j, k

        n_lon = size(u, 1)
        n_lat = size(u, 2)
        width = 2.0_dp*pi/n_lon
        !$omp parallel do default(none) num_threads(n_threads) schedule(static) &
        !$omp private(i, j, length, carried, below, thickness) &
        !$omp shared(n_lon, n_lat, width, a_interface, b_interface, lat_edges, timestep, u, v, pressure, zonal, meridional, finite)
        do k = 1, size(u, 3)
            below = 0.0_dp
            do j = 1, n_lat
                thickness = (a_interface(k + 1) - a_interface(k)) + (b_interface(k + 1) - b_interface(k))*pressure(:, j)
                if (j == 1 .or. j == n_lat) then
                    zonal(:, j, k) = 0.0_dp
                else
                    length = 0.5_dp*timestep/gravity*earth_radius*(lat_edges(j + 1) - lat_edges(j))*radians_per_degree
                    carried = u(:, j, k)*thickness
                    zonal(1, j, k) = length*(carried(n_lon) + carried(1))
                    do i = 2, n_lon
                        zonal(i, j, k) = length*(carried(i - 1) + carried(i))
                    end do
                end if
                length = 0.5_dp*timestep/gravity*earth_radius*cos(lat_edges(j)*radians_per_degree)*width
                if (j == 1) length = 0.0_dp
                carried = v(:, j, k)*thickness
                meridional(:, j, k) = length*(below + carried)
                below = carried
            end do
            meridional(:, n_lat + 1, k) = 0.0_dp
            ! One sum sees every NaN and infinity.
            finite(k) = abs(sum(zonal(:, :, k)) + sum(meridional(:, :, k))) <= huge(1.0_dp)
        end do
        !$omp end parallel do
        status = status_ok
        message = ''
        if (.not. all(finite)) then
            status = status_not_finite
            write (message, '(a, i0, a)') 'u, v: found NaN or infinite winds at level ', findloc(finite, .false., 1), &
                ', expected finite numbers'
        end if
    end subroutine wind_mass_fluxes

    !> Pressure fixer: change the fluxes so that the column mass changes from `pressure_start` to `pressure_end`, which has
    !> the same area mean. The end pressure is then set to what the fluxes give, equal but for round-off, so that air never drifts.
    subroutine fix_column_mass(n_threads, b_interface, area, basis, zonal_factor, meridional_factor, pivots, &
                               pressure_start, pressure_end, zonal, meridional, largest)
        integer, intent(in) :: n_threads                !! OpenMP threads [1]
        real(dp), intent(in) :: b_interface(:)          !! (n_lev+1) [1]
        real(dp), intent(in) :: area(:)                 !! area of a cell of each row (n_lat) [m2]
        real(dp), intent(in) :: basis(:, :)             !! Fourier basis (n_lon, n_lon) [1]
        real(dp), intent(in) :: zonal_factor(:)         !! (n_lat) [1]
        real(dp), intent(in) :: meridional_factor(:)    !! (n_lat+1) [1]
        real(dp), intent(in) :: pivots(:, :)            !! (n_lon, n_lat) [1]
        real(dp), intent(in) :: pressure_start(:, :)    !! (n_lon, n_lat) [Pa]
        real(dp), intent(inout) :: pressure_end(:, :)   !! asked for in, what the fluxes give out (n_lon, n_lat) [Pa]
        real(dp), intent(inout) :: zonal(:, :, :)       !! (n_lon, n_lat, n_lev) [kg]
        real(dp), intent(inout) :: meridional(:, :, :)  !! (n_lon, n_lat+1, n_lev) [kg]
        real(dp), intent(out) :: largest                !! largest mismatch that was removed [Pa]
        real(dp) :: mismatch(size(zonal, 1), size(zonal, 2)), spectrum(size(zonal, 1), size(zonal, 2))
        real(dp) :: fix_zonal(size(zonal, 1), size(zonal, 2)), fix_meridional(size(zonal, 1), size(zonal, 2) + 1)
        real(dp) :: column(size(zonal, 1)), weight, depth
        integer :: n_lon, n_lat, n_lev, i, j, k

        n_lon = size(zonal, 1)
        n_lat = size(zonal, 2)
        n_lev = size(zonal, 3)
        !$omp parallel default(none) num_threads(n_threads) private(i, j, k, column, weight) &
        !$omp shared(n_lon, n_lat, n_lev, area, pressure_start, pressure_end, zonal, meridional, mismatch, spectrum, basis)
        !$omp do schedule(static)
        do j = 1, n_lat
            call column_gain(zonal(:, j, :), meridional(:, j, :), meridional(:, j + 1, :), column)
            column = (pressure_end(:, j) - pressure_start(:, j))*(area(j)/gravity) - column
            mismatch(:, j) = column
            spectrum(:, j) = 0.0_dp
            do i = 1, n_lon
                do k = 1, n_lon
                    spectrum(k, j) = spectrum(k, j) + basis(i, k)*column(i)
                end do
            end do
        end do
        !$omp end do
        !$omp end parallel

        largest = 0.0_dp
        do j = 2, n_lat - 1
            largest = max(largest, maxval(abs(mismatch(:, j)))*gravity/area(j))
        end do
        call solve_potential(meridional_factor, pivots, spectrum, fix_meridional(1, :))

        !$omp parallel default(none) num_threads(n_threads) private(i, j, k, column, weight) &
        !$omp shared(n_lon, n_lat, n_lev, spectrum, basis, mismatch)
        !$omp do schedule(static)
        do j = 1, n_lat
            column = 0.0_dp
            do k = 2, n_lon
                column = column + basis(:, k)*spectrum(k, j)
            end do
            mismatch(:, j) = column
        end do
        !$omp end do
        !$omp end parallel
        ! `mismatch` now holds the potential; row 1 of `fix_meridional` came with the zonal mean flux.
        do j = 1, n_lat
            fix_zonal(1, j) = zonal_factor(j)*(mismatch(n_lon, j) - mismatch(1, j))
            fix_zonal(2:, j) = zonal_factor(j)*(mismatch(:n_lon - 1, j) - mismatch(2:, j))
            if (j > 1) fix_meridional(:, j) = fix_meridional(1, j) + meridional_factor(j)*(mismatch(:, j - 1) - mismatch(:, j))
        end do

        depth = b_interface(n_lev + 1) - b_interface(1)
        !$omp parallel do default(none) num_threads(n_threads) private(j, weight) schedule(static) &
        !$omp shared(n_lat, n_lev, b_interface, depth, fix_zonal, fix_meridional, zonal, meridional)
        do k = 1, n_lev
            weight = (b_interface(k + 1) - b_interface(k))/depth
            if (weight <= 0.0_dp) cycle
            do j = 2, n_lat
                if (j < n_lat) zonal(:, j, k) = zonal(:, j, k) + weight*fix_zonal(:, j)
                meridional(:, j, k) = meridional(:, j, k) + weight*fix_meridional(:, j)
            end do
        end do
        !$omp end parallel do

        !$omp parallel do default(none) num_threads(n_threads) private(column) schedule(static) &
        !$omp shared(n_lon, n_lat, area, pressure_start, pressure_end, zonal, meridional)
        do j = 1, n_lat
            call column_gain(zonal(:, j, :), meridional(:, j, :), meridional(:, j + 1, :), column)
            if (j == 1 .or. j == n_lat) column = sum(column)/n_lon
            pressure_end(:, j) = pressure_start(:, j) + column*(gravity/area(j))
        end do
        !$omp end parallel do
    end subroutine fix_column_mass

    !> Air that the columns of a row gain in the step.
    pure subroutine column_gain(zonal, south, north, gain)
        real(dp), intent(in) :: zonal(:, :) !! through western walls (n_lon, n_lev) [kg]
        real(dp), intent(in) :: south(:, :) !! through southern walls (n_lon, n_lev) [kg]
        real(dp), intent(in) :: north(:, :) !! through northern walls (n_lon, n_lev) [kg]
        real(dp), intent(out) :: gain(:)    !! (n_lon) [kg]
        integer :: n_lon, i, k

        n_lon = size(gain)
        gain = 0.0_dp
        do k = 1, size(zonal, 2)
            do i = 1, n_lon - 1
                gain(i) = gain(i) + ((zonal(i, k) - zonal(i + 1, k)) + (south(i, k) - north(i, k)))
            end do
            gain(n_lon) = gain(n_lon) + ((zonal(n_lon, k) - zonal(1, k)) + (south(n_lon, k) - north(n_lon, k)))
        end do
    end subroutine column_gain

    !> From the spectrum of the mismatch to that of the potential (functions 2 …), and the zonal mean flux (function 1).
    pure subroutine solve_potential(meridional_factor, pivots, spectrum, mean_flux)
        real(dp), intent(in) :: meridional_factor(:) !! (n_lat+1) [1]
        real(dp), intent(in) :: pivots(:, :)         !! (n_lon, n_lat) [1]
        real(dp), intent(inout) :: spectrum(:, :)    !! mismatch in, potential out (n_lon, n_lat) [kg]
        real(dp), intent(out) :: mean_flux(:)        !! northward through southern walls (n_lat+1) [kg]
        integer :: n_lat, j

        n_lat = size(spectrum, 2)
        mean_flux(1) = 0.0_dp
        do j = 2, n_lat
            mean_flux(j) = mean_flux(j - 1) - spectrum(1, j - 1)/sqrt(real(size(spectrum, 1), dp))
        end do
        mean_flux(n_lat + 1) = 0.0_dp
        ! The operator is minus a positive definite one; the potential is zero on both caps.
        spectrum(:, 1) = 0.0_dp
        spectrum(:, n_lat) = 0.0_dp
        do j = 2, n_lat - 1
            spectrum(:, j) = (meridional_factor(j)*spectrum(:, j - 1) - spectrum(:, j))*pivots(:, j)
        end do
        do j = n_lat - 2, 2, -1
            spectrum(:, j) = spectrum(:, j) + meridional_factor(j + 1)*pivots(:, j)*spectrum(:, j + 1)
        end do
    end subroutine solve_potential
end module gcas_transport_fluxes
