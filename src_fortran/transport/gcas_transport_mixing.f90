!> Air that turbulence exchanges across interfaces in a step, for all columns.
!>
!> Rows are independent of each other, so that results do not depend on the number of threads.
module gcas_transport_mixing
    use gcas_constants, only: gravity
    use gcas_kinds, only: dp
    use gcas_status, only: status_not_finite, status_ok
    use gcas_transport_boundary_layer, only: allocate_air, boundary_layer_depth, diffusivity, gas_constant, highest_interface, &
        row_air, row_heights, velocity_scales
    implicit none (type, external)
    private

    public :: turbulent_exchange

contains

    !> Exchange by turbulence: density times diffusivity over the distance of mid-levels, times area and time.
    subroutine turbulent_exchange(n_threads, timestep, a_interface, b_interface, area, surface_pressure, u, v, temperature, &
                                  humidity, friction, heat_flux, depth, exchange, status, message)
        integer, intent(in) :: n_threads                !! OpenMP threads [1]
        real(dp), intent(in) :: timestep                !! [s]
        real(dp), intent(in) :: a_interface(:)          !! (n_lev+1) [Pa]
        real(dp), intent(in) :: b_interface(:)          !! (n_lev+1) [1]
        real(dp), intent(in) :: area(:)                 !! area of a cell of each row (n_lat) [m2]
        real(dp), intent(in) :: surface_pressure(:, :)  !! (n_lon, n_lat) [Pa]
        real(dp), intent(in) :: u(:, :, :)              !! (n_lon, n_lat, n_lev) [m s-1]
        real(dp), intent(in) :: v(:, :, :)              !! (n_lon, n_lat, n_lev) [m s-1]
        real(dp), intent(in) :: temperature(:, :, :)    !! (n_lon, n_lat, n_lev) [K]
        real(dp), intent(in) :: humidity(:, :, :)       !! (n_lon, n_lat, n_lev) [kg kg-1]
        real(dp), intent(in) :: friction(:, :)          !! velocity, positive (n_lon, n_lat) [m s-1]
        real(dp), intent(in) :: heat_flux(:, :)         !! kinematic, virtual, upward, at the surface (n_lon, n_lat) [K m s-1]
        real(dp), intent(inout) :: depth(:, :)          !! of the boundary layer; not positive: diagnosed (n_lon, n_lat) [m]
        real(dp), intent(inout) :: exchange(:, :, :)    !! across upper interfaces (n_lon, n_lev, n_lat) [kg]
        integer, intent(out) :: status                  !! status table
        character(len=*), intent(out) :: message        !! empty unless status tells otherwise
        type(row_air) :: air
        real(dp) :: k_values(size(u, 1))
        logical :: finite(size(area))
        integer :: j, k, n_lon, n_lev, top

        n_lon = size(u, 1)
        n_lev = size(u, 3)
        top = highest_interface(a_interface, b_interface, 2.0e4_dp)
        !$omp parallel default(none) num_threads(n_threads) private(j, k, air, k_values) &
        !$omp shared(n_lon, n_lev, top, timestep, a_interface, b_interface, area, surface_pressure, u, v, temperature, humidity) &
        !$omp shared(friction, heat_flux, depth, exchange, finite)
        call allocate_air(n_lon, n_lev, air)
        air%top = top
        !$omp do schedule(static)
        do j = 1, size(area)
            call row_heights(a_interface, b_interface, surface_pressure(:, j), temperature(:, j, :), humidity(:, j, :), air)
            air%buoyancy = gravity*heat_flux(:, j)/air%temperature(:, n_lev)
            ! Sums see every NaN and infinity; a maximum may lose them.
            finite(j) = abs(sum(air%buoyancy) + sum(friction(:, j)) + sum(depth(:, j))) <= huge(1.0_dp)
            call boundary_layer_depth(air, u(:, j, :), v(:, j, :), friction(:, j), depth(:, j))
            call velocity_scales(friction(:, j), depth(:, j), air)
            exchange(:, :top - 1, j) = 0.0_dp
            do k = top, n_lev
                call diffusivity(k, friction(:, j), depth(:, j), u(:, j, :), v(:, j, :), air, k_values)
                exchange(:, k, j) = 2.0_dp*k_values*air%pressure(:, k)*(timestep*area(j)/gas_constant) &
                                    /((air%temperature(:, k - 1) + air%temperature(:, k)) &
                                      *(air%middle(:, k - 1) - air%middle(:, k)))
            end do
            finite(j) = finite(j) .and. abs(sum(exchange(:, top:, j))) <= huge(1.0_dp)
        end do
        !$omp end do
        !$omp end parallel
        status = status_ok
        message = ''
        if (.not. all(finite)) then
            status = status_not_finite
            write (message, '(a, i0, a)') 'wind, temperature, humidity, surface fluxes or boundary-layer height in row ', &
                findloc(finite, .false., 1), ': found values that give no finite diffusivity, expected finite numbers'
        end if
    end subroutine turbulent_exchange
end module gcas_transport_mixing
