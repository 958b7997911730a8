!> Air that convection lifts through interfaces in a step: from a given mass flux, or from a surrogate.
!>
!> The surrogate is one entraining plume per column. Its mass flux at cloud base follows the convective velocity (Grant 2001),
!> its top is where its moist static energy falls below the saturated air's around it. Rows are independent of each other.
module gcas_transport_convection
    use gcas_constants, only: gravity
    use gcas_kinds, only: dp
    use gcas_status, only: status_not_finite, status_ok
    use gcas_transport_boundary_layer, only: allocate_air, gas_constant, heat_capacity, highest_interface, row_air, row_heights
    implicit none (type, external)
    private

    public :: given_updraft, diagnosed_updraft

    real(dp), parameter :: most_layers = 4.0_dp        !! most air that is lifted in a step, in layers' masses [1]
    real(dp), parameter :: latent_heat = 2.501e6_dp    !! of evaporation [J kg-1]
    real(dp), parameter :: base_share = 0.03_dp        !! mass flux at cloud base over density and convective velocity [1]
    real(dp), parameter :: entrainment = 0.5e-4_dp     !! of the tallest plume, share of air taken in per height [m-1]
    real(dp), parameter :: excess = 2.0e3_dp           !! moist static energy of rising air over its layer's mean [J kg-1]
    real(dp), parameter :: inhibition = 1000.0_dp      !! height above cloud base that plumes may cross without buoyancy [m]
    real(dp), parameter :: lifting = 125.0_dp          !! condensation level over spread of temperature and dew point [m K-1]

contains

    !> From upward mass fluxes at interfaces; negative ones (net downdraughts) count as none.
    subroutine given_updraft(n_threads, timestep, a_interface, b_interface, area, surface_pressure, mass_flux, updraft, &
                             status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), intent(in) :: timestep               !! [s]
        real(dp), intent(in) :: a_interface(:)         !! (n_lev+1) [Pa]
        real(dp), intent(in) :: b_interface(:)         !! (n_lev+1) [1]
        real(dp), intent(in) :: area(:)                !! area of a cell of each row (n_lat) [m2]
        real(dp), intent(in) :: surface_pressure(:, :) !! (n_lon, n_lat) [Pa]
        real(dp), intent(in) :: mass_flux(:, :, :)     !! (n_lon, n_lat, n_lev+1) [kg m-2 s-1]
        real(dp), intent(inout) :: updraft(:, :, :)    !! up through upper interfaces (n_lon, n_lev, n_lat) [kg]
        integer, intent(out) :: status                 !! status table
        character(len=*), intent(out) :: message       !! empty unless status tells otherwise
        logical :: finite(size(area))
        integer :: j, k, n_lev

        n_lev = size(updraft, 2)
        !$omp parallel do default(none) num_threads(n_threads) private(k) schedule(static) &
        !$omp shared(n_lev, timestep, a_interface, b_interface, area, surface_pressure, mass_flux, updraft, finite)
        do j = 1, size(area)
            updraft(:, 1, j) = 0.0_dp
            do k = 2, n_lev
                updraft(:, k, j) = mass_flux(:, j, k)
            end do
            finite(j) = abs(sum(updraft(:, :, j))) <= huge(1.0_dp)
            call limit_updraft(timestep, a_interface, b_interface, area(j), surface_pressure(:, j), updraft(:, :, j))
        end do
        !$omp end parallel do
        call report(finite, 'convective mass flux', status, message)
    end subroutine given_updraft

    !> From temperature, humidity, surface fluxes and the depth of the boundary layer.
    subroutine diagnosed_updraft(n_threads, timestep, a_interface, b_interface, area, surface_pressure, temperature, humidity, &
                                 heat_flux, depth, updraft, status, message)
        integer, intent(in) :: n_threads               !! OpenMP threads [1]
        real(dp), intent(in) :: timestep               !! [s]
        real(dp), intent(in) :: a_interface(:)         !! (n_lev+1) [Pa]
        real(dp), intent(in) :: b_interface(:)         !! (n_lev+1) [1]
        real(dp), intent(in) :: area(:)                !! area of a cell of each row (n_lat) [m2]
        real(dp), intent(in) :: surface_pressure(:, :) !! (n_lon, n_lat) [Pa]
        real(dp), intent(in) :: temperature(:, :, :)   !! (n_lon, n_lat, n_lev) [K]
        real(dp), intent(in) :: humidity(:, :, :)      !! (n_lon, n_lat, n_lev) [kg kg-1]
        real(dp), intent(in) :: heat_flux(:, :)        !! kinematic, virtual, upward, at the surface (n_lon, n_lat) [K m s-1]
        real(dp), intent(in) :: depth(:, :)            !! of the boundary layer, positive (n_lon, n_lat) [m]
        real(dp), intent(inout) :: updraft(:, :, :)    !! up through upper interfaces (n_lon, n_lev, n_lat) [kg]
        integer, intent(out) :: status                 !! status table
        character(len=*), intent(out) :: message       !! empty unless status tells otherwise
        type(row_air) :: air
        logical :: finite(size(area))
        integer :: i, j, n_lon, n_lev, top

        n_lon = size(updraft, 1)
        n_lev = size(updraft, 2)
        top = highest_interface(a_interface, b_interface, 1.0e4_dp)
        !$omp parallel default(none) num_threads(n_threads) private(i, j, air) &
        !$omp shared(n_lon, n_lev, top, timestep, a_interface, b_interface, area, surface_pressure, temperature, humidity) &
        !$omp shared(heat_flux, depth, updraft, finite)
        call allocate_air(n_lon, n_lev, air)
        air%top = top
        !$omp do schedule(dynamic)
        do j = 1, size(area)
            updraft(:, :, j) = 0.0_dp
            call row_heights(a_interface, b_interface, surface_pressure(:, j), temperature(:, j, :), humidity(:, j, :), air)
            air%buoyancy = gravity*heat_flux(:, j)/air%temperature(:, n_lev)
            do i = 1, n_lon
                if (air%buoyancy(i) > 0.0_dp) call column_plume(i, air, temperature(i, j, :), humidity(i, j, :), depth(i, j), &
                                                                updraft(i, :, j))
            end do
            finite(j) = abs(sum(updraft(:, :, j)) + sum(air%buoyancy)) <= huge(1.0_dp)
            call limit_updraft(timestep, a_interface, b_interface, area(j), surface_pressure(:, j), updraft(:, :, j))
        end do
        !$omp end do
        !$omp end parallel
        call report(finite, 'temperature, humidity, surface fluxes or boundary-layer height', status, message)
    end subroutine diagnosed_updraft

    !> Mass flux of one column's plume [kg m-2 s-1]: rising linearly to cloud base, falling linearly to its top.
    pure subroutine column_plume(i, air, temperature, humidity, depth, updraft)
        integer, intent(in) :: i                  !! the column
        type(row_air), intent(in) :: air          !! heights, pressures, buoyancy
        real(dp), intent(in) :: temperature(:)    !! (n_lev) [K]
        real(dp), intent(in) :: humidity(:)       !! (n_lev) [kg kg-1]
        real(dp), intent(in) :: depth             !! of the boundary layer [m]
        real(dp), intent(inout) :: updraft(:)     !! through upper interfaces, zero in (n_lev) [kg m-2 s-1]
        real(dp) :: source, vapour, mass, layer, base, condensation, flux, plume, around, ceiling
        integer :: k, n_lev

        n_lev = size(updraft)
        source = 0.0_dp
        vapour = 0.0_dp
        mass = 0.0_dp
        do k = n_lev, air%top, -1
            if (k < n_lev .and. air%middle(i, k) > depth) exit
            layer = air%pressure(i, k + 1) - air%pressure(i, k)
            source = source + layer*dry_energy(i, k)
            vapour = vapour + layer*humidity(k)
            mass = mass + layer
        end do
        vapour = vapour/mass
        source = source/mass + latent_heat*vapour + excess
        condensation = lifting*max(temperature(n_lev) - dew_point(vapour, air%pressure(i, n_lev + 1)), 0.0_dp)
        base = max(depth, condensation, air%middle(i, n_lev))
        flux = base_share*air%pressure(i, n_lev + 1)/(gas_constant*air%temperature(i, n_lev)) &
               *(air%buoyancy(i)*base)**(1.0_dp/3.0_dp)*(1.0_dp - (base - depth)/inhibition)
        ceiling = base
        plume = source
        do k = n_lev - 1, air%top, -1
            if (air%middle(i, k) <= base) cycle
            around = dry_energy(i, k) + latent_heat*humidity(k)
            layer = air%interface(i, k) - max(air%interface(i, k + 1), base)
            plume = plume + (around - plume)*entrainment*layer/(1.0_dp + entrainment*layer)
            if (plume >= dry_energy(i, k) + latent_heat*saturation(temperature(k), &
                                                                   0.5_dp*(air%pressure(i, k) + air%pressure(i, k + 1)))) then
                ceiling = air%interface(i, k)
            else if (air%middle(i, k) > base + inhibition) then
                exit
            end if
        end do
        if (ceiling <= base .or. flux <= 0.0_dp) return
        do k = n_lev, air%top, -1
            if (air%interface(i, k) >= ceiling) exit
            if (air%interface(i, k) <= base) then
                updraft(k) = flux*air%interface(i, k)/base
            else
                updraft(k) = flux*(ceiling - air%interface(i, k))/(ceiling - base)
            end if
        end do

    contains

        !> Dry static energy of a layer [J kg-1].
        pure function dry_energy(i, k) result(energy)
            integer, intent(in) :: i, k
            real(dp) :: energy

            energy = heat_capacity*temperature(k) + gravity*air%middle(i, k)
        end function dry_energy
    end subroutine column_plume

    !> Specific humidity of saturated air [kg kg-1]; Magnus's formula with the constants of Alduchov & Eskridge (1996).
    elemental function saturation(temperature, pressure) result(humidity)
        real(dp), intent(in) :: temperature !! [K]
        real(dp), intent(in) :: pressure    !! [Pa]
        real(dp) :: humidity, celsius, vapour

        celsius = max(temperature - 273.15_dp, -100.0_dp)
        vapour = 610.94_dp*exp(17.625_dp*celsius/(celsius + 243.04_dp))
        humidity = 0.622_dp*vapour/max(pressure - 0.378_dp*vapour, vapour)
    end function saturation

    !> Dew point [K]: the inverse.
    elemental function dew_point(humidity, pressure) result(temperature)
        real(dp), intent(in) :: humidity !! [kg kg-1]
        real(dp), intent(in) :: pressure !! [Pa]
        real(dp) :: temperature, logarithm

        logarithm = log(max(humidity, 1.0e-9_dp)*pressure/(0.622_dp + 0.378_dp*humidity)/610.94_dp)
        temperature = 273.15_dp + 243.04_dp*logarithm/(17.625_dp - logarithm)
    end function dew_point

    !> From a mass flux [kg m-2 s-1] to air lifted [kg], at most `most_layers` times the thinner layer beside the interface.
    pure subroutine limit_updraft(timestep, a_interface, b_interface, area, surface_pressure, updraft)
        real(dp), intent(in) :: timestep, a_interface(:), b_interface(:), area, surface_pressure(:)
        real(dp), intent(inout) :: updraft(:, :)
        real(dp) :: thinner
        integer :: i, k

        do k = 2, size(updraft, 2)
            do i = 1, size(updraft, 1)
                thinner = min(a_interface(k) - a_interface(k - 1) + (b_interface(k) - b_interface(k - 1))*surface_pressure(i), &
                              a_interface(k + 1) - a_interface(k) + (b_interface(k + 1) - b_interface(k))*surface_pressure(i))
                updraft(i, k) = area*min(max(updraft(i, k), 0.0_dp)*timestep, most_layers*thinner/gravity)
            end do
        end do
    end subroutine limit_updraft

    !> Turn rows with numbers that are not finite into a status.
    pure subroutine report(finite, what, status, message)
        logical, intent(in) :: finite(:)
        character(len=*), intent(in) :: what
        integer, intent(out) :: status
        character(len=*), intent(out) :: message

        status = status_ok
        message = ''
        if (all(finite)) return
        status = status_not_finite
        write (message, '(2a, i0, a)') what, ' in row ', findloc(finite, .false., 1), ': found NaN or infinity, expected numbers'
    end subroutine report
end module gcas_transport_convection
