!> What Python sees of mixing and convection. Flat arrays in, status and message out; sizes are tested here.
module gcas_transport_mixing_face
    use gcas_kinds, only: dp
    use gcas_status, only: status_bad_shape, status_ok
    use gcas_transport_convection, only: diagnosed_updraft, given_updraft
    use gcas_transport_mixing, only: turbulent_exchange
    implicit none (type, external)
    private

    public :: boundary_layer, convection, surrogate_convection

contains

    !> Air that turbulence exchanges in a step, and the depth of the boundary layer where it is not given.
    subroutine boundary_layer(n_threads, timestep, a_interface, b_interface, area, surface_pressure, u, v, temperature, humidity, &
                              friction, heat_flux, depth, exchange, status, message)
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
        character(len=200), intent(out) :: message      !! empty unless status tells otherwise
        integer :: plane(2)

        plane = [size(u, 1), size(u, 2)]
        status = status_bad_shape
        message = 'v, temperature, humidity: found a shape that differs from u'
        if (any(shape(v) /= shape(u)) .or. any(shape(temperature) /= shape(u)) .or. any(shape(humidity) /= shape(u))) return
        message = 'surface fields: found a shape that is not (n_lon, n_lat)'
        if (any(shape(surface_pressure) /= plane) .or. any(shape(friction) /= plane)) return
        if (any(shape(heat_flux) /= plane) .or. any(shape(depth) /= plane)) return
        message = 'exchange: found a shape that is not (n_lon, n_lev, n_lat)'
        if (any(shape(exchange) /= [size(u, 1), size(u, 3), size(u, 2)])) return
        message = 'interfaces, area: found sizes that do not fit u'
        if (size(a_interface) /= size(u, 3) + 1 .or. size(b_interface) /= size(u, 3) + 1 .or. size(area) /= size(u, 2)) return
        call turbulent_exchange(n_threads, timestep, a_interface, b_interface, area, surface_pressure, u, v, temperature, &
                                humidity, friction, heat_flux, depth, exchange, status, message)
    end subroutine boundary_layer

    !> Air that convection of a given mass flux lifts in a step.
    subroutine convection(n_threads, timestep, a_interface, b_interface, area, surface_pressure, mass_flux, updraft, &
                          status, message)
        integer, intent(in) :: n_threads                !! OpenMP threads [1]
        real(dp), intent(in) :: timestep                !! [s]
        real(dp), intent(in) :: a_interface(:)          !! (n_lev+1) [Pa]
        real(dp), intent(in) :: b_interface(:)          !! (n_lev+1) [1]
        real(dp), intent(in) :: area(:)                 !! area of a cell of each row (n_lat) [m2]
        real(dp), intent(in) :: surface_pressure(:, :)  !! (n_lon, n_lat) [Pa]
        real(dp), intent(in) :: mass_flux(:, :, :)      !! upward at interfaces (n_lon, n_lat, n_lev+1) [kg m-2 s-1]
        real(dp), intent(inout) :: updraft(:, :, :)     !! up through upper interfaces (n_lon, n_lev, n_lat) [kg]
        integer, intent(out) :: status                  !! status table
        character(len=200), intent(out) :: message      !! empty unless status tells otherwise

        status = status_bad_shape
        message = 'mass_flux: found a shape that is not (n_lon, n_lat, n_lev+1)'
        if (any(shape(mass_flux) /= [shape(surface_pressure), size(a_interface)])) return
        message = 'updraft: found a shape that is not (n_lon, n_lev, n_lat)'
        if (any(shape(updraft) /= [size(mass_flux, 1), size(mass_flux, 3) - 1, size(mass_flux, 2)])) return
        message = 'interfaces, area: found sizes that do not fit mass_flux'
        if (size(b_interface) /= size(a_interface) .or. size(area) /= size(mass_flux, 2)) return
        call given_updraft(n_threads, timestep, a_interface, b_interface, area, surface_pressure, mass_flux, updraft, &
                           status, message)
    end subroutine convection

    !> Air that convection lifts in a step, where its mass flux is not given.
    subroutine surrogate_convection(n_threads, timestep, a_interface, b_interface, area, surface_pressure, temperature, humidity, &
                                    heat_flux, depth, updraft, status, message)
        integer, intent(in) :: n_threads                !! OpenMP threads [1]
        real(dp), intent(in) :: timestep                !! [s]
        real(dp), intent(in) :: a_interface(:)          !! (n_lev+1) [Pa]
        real(dp), intent(in) :: b_interface(:)          !! (n_lev+1) [1]
        real(dp), intent(in) :: area(:)                 !! area of a cell of each row (n_lat) [m2]
        real(dp), intent(in) :: surface_pressure(:, :)  !! (n_lon, n_lat) [Pa]
        real(dp), intent(in) :: temperature(:, :, :)    !! (n_lon, n_lat, n_lev) [K]
        real(dp), intent(in) :: humidity(:, :, :)       !! (n_lon, n_lat, n_lev) [kg kg-1]
        real(dp), intent(in) :: heat_flux(:, :)         !! kinematic, virtual, upward, at the surface (n_lon, n_lat) [K m s-1]
        real(dp), intent(in) :: depth(:, :)             !! of the boundary layer, positive (n_lon, n_lat) [m]
        real(dp), intent(inout) :: updraft(:, :, :)     !! up through upper interfaces (n_lon, n_lev, n_lat) [kg]
        integer, intent(out) :: status                  !! status table
        character(len=200), intent(out) :: message      !! empty unless status tells otherwise
        integer :: plane(2)

        plane = shape(surface_pressure)
        status = status_bad_shape
        message = 'temperature, humidity: found a shape that is not (n_lon, n_lat, n_lev)'
        if (any(shape(temperature) /= [plane, size(a_interface) - 1]) .or. any(shape(humidity) /= shape(temperature))) return
        message = 'heat_flux, depth: found a shape that is not (n_lon, n_lat)'
        if (any(shape(heat_flux) /= plane) .or. any(shape(depth) /= plane)) return
        message = 'updraft: found a shape that is not (n_lon, n_lev, n_lat)'
        if (any(shape(updraft) /= [plane(1), size(temperature, 3), plane(2)])) return
        message = 'interfaces, area: found sizes that do not fit temperature'
        if (size(b_interface) /= size(a_interface) .or. size(area) /= plane(2)) return
        call diagnosed_updraft(n_threads, timestep, a_interface, b_interface, area, surface_pressure, temperature, humidity, &
                               heat_flux, depth, updraft, status, message)
    end subroutine surrogate_convection
end module gcas_transport_mixing_face
