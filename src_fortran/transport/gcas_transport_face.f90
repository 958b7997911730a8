!> What Python sees of the transport model. Flat arrays in, status and message out; sizes are tested here.
module gcas_transport_face
    use gcas_kinds, only: dp, sp
    use gcas_status, only: status_bad_shape, status_bad_value, status_not_finite, status_ok
    use gcas_transport_column, only: column_step
    use gcas_transport_fluxes, only: fix_column_mass, layer_mass, uniform_shift, wind_mass_fluxes
    use gcas_transport_geometry, only: fixer_tables, meridional_edge_weights, polar_smoothing
    use gcas_transport_horizontal, only: advect_horizontal
    use omp_lib, only: omp_get_max_threads
    implicit none (type, external)
    private

    public :: openmp_threads, geometry, air_mass, mass_fluxes
    public :: horizontal_double, horizontal_single, columns_double, columns_single

contains

    !> Number of threads that the next parallel region will use.
    subroutine openmp_threads(n_threads)
        integer, intent(out) :: n_threads !! threads [1]

        n_threads = omp_get_max_threads()
    end subroutine openmp_threads

    !> Tables of a grid, constant over a run.
    subroutine geometry(lat_edges, edge_weights, smoothing, basis, zonal_factor, meridional_factor, pivots, status, message)
        real(dp), intent(in) :: lat_edges(:)               !! south to north (n_lat+1) [degree]
        real(dp), intent(inout) :: edge_weights(:, :)      !! PPM edge weights (4, n_lat+1) [1]
        real(dp), intent(inout) :: smoothing(:)            !! zonal smoothing of each row in a step (n_lat) [1]
        real(dp), intent(inout) :: basis(:, :)             !! Fourier basis (n_lon, n_lon) [1]
        real(dp), intent(inout) :: zonal_factor(:)         !! (n_lat) [1]
        real(dp), intent(inout) :: meridional_factor(:)    !! (n_lat+1) [1]
        real(dp), intent(inout) :: pivots(:, :)            !! (n_lon, n_lat) [1]
        integer, intent(out) :: status                     !! status table
        character(len=200), intent(out) :: message         !! empty unless status tells otherwise
        integer :: n_lon, n_lat

        n_lon = size(basis, 1)
        n_lat = size(lat_edges) - 1
        status = status_ok
        message = ''
        if (n_lat < 8 .or. n_lon < 8) then
            status = status_bad_value
            write (message, '(a, i0, a, i0, a)') 'grid: found ', n_lon, ' x ', n_lat, ' cells, expected at least 8 x 8'
        else if (any(shape(edge_weights) /= [4, n_lat + 1]) .or. size(smoothing) /= n_lat &
                 .or. size(basis, 2) /= n_lon .or. size(zonal_factor) /= n_lat &
                 .or. size(meridional_factor) /= n_lat + 1 .or. any(shape(pivots) /= [n_lon, n_lat])) then
            status = status_bad_shape
            write (message, '(a, i0, a, i0, a)') 'tables: found sizes that do not fit ', n_lon, ' x ', n_lat, ' cells'
        else
            call meridional_edge_weights(lat_edges, edge_weights)
            call polar_smoothing(n_lon, lat_edges, smoothing)
            call fixer_tables(n_lon, lat_edges, basis, zonal_factor, meridional_factor, pivots)
        end if
    end subroutine geometry

    !> Mass of air in every cell.
    subroutine air_mass(n_threads, a_interface, b_interface, area, surface_pressure, mass, status, message)
        integer, intent(in) :: n_threads                   !! OpenMP threads [1]
        real(dp), intent(in) :: a_interface(:)             !! (n_lev+1) [Pa]
        real(dp), intent(in) :: b_interface(:)             !! (n_lev+1) [1]
        real(dp), intent(in) :: area(:)                    !! area of a cell of each row (n_lat) [m2]
        real(dp), intent(in) :: surface_pressure(:, :)     !! (n_lon, n_lat) [Pa]
        real(dp), intent(inout) :: mass(:, :, :)           !! (n_lon, n_lat, n_lev) [kg]
        integer, intent(out) :: status                     !! status table
        character(len=200), intent(out) :: message         !! empty unless status tells otherwise

        status = status_bad_shape
        message = 'mass: found a shape that does not fit area, surface_pressure and interfaces'
        if (any(shape(mass) /= [shape(surface_pressure), size(a_interface) - 1])) return
        if (size(b_interface) /= size(a_interface) .or. size(area) /= size(mass, 2)) return
        status = status_ok
        message = ''
        call layer_mass(n_threads, a_interface, b_interface, area, surface_pressure, mass)
    end subroutine air_mass

    !> Amounts of air through all walls in a step, consistent with the change of surface pressure.
    subroutine mass_fluxes(n_threads, a_interface, b_interface, lat_edges, area, basis, zonal_factor, meridional_factor, pivots, &
                           timestep, u, v, pressure_start, pressure_end, zonal, meridional, largest, status, message)
        integer, intent(in) :: n_threads                   !! OpenMP threads [1]
        real(dp), intent(in) :: a_interface(:)             !! (n_lev+1) [Pa]
        real(dp), intent(in) :: b_interface(:)             !! (n_lev+1) [1]
        real(dp), intent(in) :: lat_edges(:)               !! (n_lat+1) [degree]
        real(dp), intent(in) :: area(:)                    !! (n_lat) [m2]
        real(dp), intent(in) :: basis(:, :)                !! (n_lon, n_lon) [1]
        real(dp), intent(in) :: zonal_factor(:)            !! (n_lat) [1]
        real(dp), intent(in) :: meridional_factor(:)       !! (n_lat+1) [1]
        real(dp), intent(in) :: pivots(:, :)               !! (n_lon, n_lat) [1]
        real(dp), intent(in) :: timestep                   !! [s]
        real(dp), intent(in) :: u(:, :, :)                 !! at mid-step (n_lon, n_lat, n_lev) [m s-1]
        real(dp), intent(in) :: v(:, :, :)                 !! at mid-step (n_lon, n_lat, n_lev) [m s-1]
        real(dp), intent(in) :: pressure_start(:, :)       !! the model's (n_lon, n_lat) [Pa]
        real(dp), intent(inout) :: pressure_end(:, :)      !! of the same area mean in, consistent out (n_lon, n_lat) [Pa]
        real(dp), intent(inout) :: zonal(:, :, :)          !! (n_lon, n_lat, n_lev) [kg]
        real(dp), intent(inout) :: meridional(:, :, :)     !! (n_lon, n_lat+1, n_lev) [kg]
        real(dp), intent(out) :: largest                   !! largest mismatch removed [Pa]
        integer, intent(out) :: status                     !! status table
        character(len=200), intent(out) :: message         !! empty unless status tells otherwise

        largest = 0.0_dp
        status = status_bad_shape
        message = 'u: found a shape that differs from v, zonal or the interfaces'
        if (any(shape(u) /= shape(v)) .or. any(shape(u) /= shape(zonal)) .or. size(u, 3) /= size(a_interface) - 1) return
        message = 'meridional: found a shape that is not (n_lon, n_lat+1, n_lev)'
        if (any(shape(meridional) /= shape(u) + [0, 1, 0])) return
        message = 'surface pressure: found a shape that is not (n_lon, n_lat)'
        if (any(shape(pressure_start) /= [size(u, 1), size(u, 2)]) .or. any(shape(pressure_end) /= shape(pressure_start))) return
        message = 'tables: found sizes that do not fit the grid'
        if (size(lat_edges) /= size(u, 2) + 1 .or. size(area) /= size(u, 2) .or. size(basis, 1) /= size(u, 1)) return
        call wind_mass_fluxes(n_threads, a_interface, b_interface, lat_edges, timestep, u, v, &
                              0.5_dp*(pressure_start + pressure_end), zonal, meridional, status, message)
        if (status /= status_ok) return
        call fix_column_mass(n_threads, b_interface, area, basis, zonal_factor, meridional_factor, pivots, &
                             pressure_start, pressure_end, zonal, meridional, largest)
    end subroutine mass_fluxes

    !> Horizontal advection by given amounts of air.
    subroutine horizontal_double(n_threads, monotone, edge_weights, smoothing, zonal, meridional, mass, q, status, message)
        integer, intent(in) :: n_threads                   !! OpenMP threads [1]
        integer, intent(in) :: monotone                    !! 1: no new extrema, 0: linear
        real(dp), intent(in) :: edge_weights(:, :)         !! (4, n_lat+1) [1]
        real(dp), intent(in) :: smoothing(:)               !! (n_lat) [1]
        real(dp), intent(in) :: zonal(:, :, :)             !! (n_lon, n_lat, n_lev) [kg]
        real(dp), intent(in) :: meridional(:, :, :)        !! (n_lon, n_lat+1, n_lev) [kg]
        real(dp), intent(inout) :: mass(:, :, :)           !! start in, end out (n_lon, n_lat, n_lev) [kg]
        real(dp), contiguous, intent(inout) :: q(:, :, :, :, :) !! (block, n_lon, n_lat, n_lev, n_blocks) [mixing ratio]
        integer, intent(out) :: status                     !! status table
        character(len=200), intent(out) :: message         !! empty unless status tells otherwise
        real(dp) :: none(1, 1, 1, 1, 0)

        call check_horizontal(edge_weights, smoothing, zonal, meridional, mass, shape(q), status, message)
        if (status /= status_ok) return
        call advect_horizontal(n_threads, monotone == 1, edge_weights, smoothing, zonal, meridional, mass, q, none, status, message)
    end subroutine horizontal_double

    !> Horizontal advection by given amounts of air, tracers in single precision; with others in double.
    subroutine horizontal_single(n_threads, monotone, edge_weights, smoothing, zonal, meridional, mass, q, along, &
                                 status, message)
        integer, intent(in) :: n_threads                   !! OpenMP threads [1]
        integer, intent(in) :: monotone                    !! 1: no new extrema, 0: linear
        real(dp), intent(in) :: edge_weights(:, :)         !! (4, n_lat+1) [1]
        real(dp), intent(in) :: smoothing(:)               !! (n_lat) [1]
        real(dp), intent(in) :: zonal(:, :, :)             !! (n_lon, n_lat, n_lev) [kg]
        real(dp), intent(in) :: meridional(:, :, :)        !! (n_lon, n_lat+1, n_lev) [kg]
        real(dp), intent(inout) :: mass(:, :, :)           !! start in, end out (n_lon, n_lat, n_lev) [kg]
        real(sp), contiguous, intent(inout) :: q(:, :, :, :, :) !! (block, n_lon, n_lat, n_lev, n_blocks) [mixing ratio]
        real(dp), contiguous, intent(inout) :: along(:, :, :, :, :) !! more tracers, maybe none, as `q`
        integer, intent(out) :: status                     !! status table
        character(len=200), intent(out) :: message         !! empty unless status tells otherwise

        call check_horizontal(edge_weights, smoothing, zonal, meridional, mass, shape(q), status, message)
        if (status == status_ok) call check_along(shape(along), shape(q), status, message)
        if (status /= status_ok) return
        call advect_horizontal(n_threads, monotone == 1, edge_weights, smoothing, zonal, meridional, mass, q, along, &
                               status, message)
    end subroutine horizontal_single

    !> Vertical advection, emission, mixing and convection.
    subroutine columns_double(n_threads, monotone, mass, mass_end, exchange, updraft, basis, coefficients, q, status, message)
        integer, intent(in) :: n_threads                   !! OpenMP threads [1]
        integer, intent(in) :: monotone                    !! 1: no new extrema, 0: linear
        real(dp), intent(inout) :: mass(:, :, :)           !! after horizontal advection in, end out (n_lon, n_lat, n_lev) [kg]
        real(dp), intent(in) :: mass_end(:, :, :)          !! (n_lon, n_lat, n_lev) [kg]
        real(dp), intent(in) :: exchange(:, :, :)          !! across upper interfaces (n_lon, n_lev, n_lat) [kg]
        real(dp), intent(in) :: updraft(:, :, :)           !! up through upper interfaces (n_lon, n_lev, n_lat) [kg]
        real(dp), intent(in) :: basis(:, :, :)             !! (n_lon, n_lat, n_basis) [mixing ratio kg]
        real(dp), contiguous, intent(in) :: coefficients(:, :, :, :, :) !! (block, n_lon, n_lat, n_basis, n_blocks) [1]
        real(dp), contiguous, intent(inout) :: q(:, :, :, :, :) !! (block, n_lon, n_lat, n_lev, n_blocks) [mixing ratio]
        integer, intent(out) :: status                     !! status table
        character(len=200), intent(out) :: message         !! empty unless status tells otherwise
        real(dp) :: none(1, 1, 1, 1, 0)

        call check_columns(mass, mass_end, exchange, updraft, basis, shape(coefficients), shape(q), status, message)
        if (status /= status_ok) return
        call column_step(n_threads, monotone == 1, mass, mass_end, exchange, updraft, basis, coefficients, q, none, none, &
                         status, message)
    end subroutine columns_double

    !> Vertical advection, emission, mixing and convection, tracers in single precision; with others in double.
    subroutine columns_single(n_threads, monotone, mass, mass_end, exchange, updraft, basis, coefficients, q, &
                              coefficients_along, along, status, message)
        integer, intent(in) :: n_threads                   !! OpenMP threads [1]
        integer, intent(in) :: monotone                    !! 1: no new extrema, 0: linear
        real(dp), intent(inout) :: mass(:, :, :)           !! after horizontal advection in, end out (n_lon, n_lat, n_lev) [kg]
        real(dp), intent(in) :: mass_end(:, :, :)          !! (n_lon, n_lat, n_lev) [kg]
        real(dp), intent(in) :: exchange(:, :, :)          !! across upper interfaces (n_lon, n_lev, n_lat) [kg]
        real(dp), intent(in) :: updraft(:, :, :)           !! up through upper interfaces (n_lon, n_lev, n_lat) [kg]
        real(dp), intent(in) :: basis(:, :, :)             !! (n_lon, n_lat, n_basis) [mixing ratio kg]
        real(sp), contiguous, intent(in) :: coefficients(:, :, :, :, :) !! (block, n_lon, n_lat, n_basis, n_blocks) [1]
        real(sp), contiguous, intent(inout) :: q(:, :, :, :, :) !! (block, n_lon, n_lat, n_lev, n_blocks) [mixing ratio]
        real(dp), contiguous, intent(in) :: coefficients_along(:, :, :, :, :) !! as `coefficients` [1]
        real(dp), contiguous, intent(inout) :: along(:, :, :, :, :) !! more tracers, maybe none, as `q`
        integer, intent(out) :: status                     !! status table
        character(len=200), intent(out) :: message         !! empty unless status tells otherwise

        call check_columns(mass, mass_end, exchange, updraft, basis, shape(coefficients), shape(q), status, message)
        if (status == status_ok) call check_along(shape(along), shape(q), status, message)
        if (status == status_ok .and. size(along, 5) > 0) then
            call check_columns(mass, mass_end, exchange, updraft, basis, shape(coefficients_along), shape(along), status, message)
        end if
        if (status /= status_ok) return
        call column_step(n_threads, monotone == 1, mass, mass_end, exchange, updraft, basis, coefficients, q, &
                         coefficients_along, along, status, message)
    end subroutine columns_single

    !> Do tracers that are carried along fit the others?
    subroutine check_along(a_shape, q_shape, status, message)
        integer, intent(in) :: a_shape(:), q_shape(:)
        integer, intent(out) :: status
        character(len=*), intent(out) :: message

        status = status_ok
        message = ''
        if (a_shape(5) == 0 .or. all(a_shape(2:4) == q_shape(2:4))) return
        status = status_bad_shape
        message = 'along: found a shape that does not fit q'
    end subroutine check_along

    !> Do the arrays of a horizontal step fit each other?
    subroutine check_horizontal(edge_weights, smoothing, zonal, meridional, mass, q_shape, status, message)
        real(dp), intent(in) :: edge_weights(:, :), smoothing(:), zonal(:, :, :), meridional(:, :, :), mass(:, :, :)
        integer, intent(in) :: q_shape(:)
        integer, intent(out) :: status
        character(len=*), intent(out) :: message

        status = status_bad_shape
        message = 'zonal: found a shape that differs from mass'
        if (any(shape(zonal) /= shape(mass))) return
        message = 'meridional: found a shape that is not (n_lon, n_lat+1, n_lev)'
        if (any(shape(meridional) /= shape(mass) + [0, 1, 0])) return
        message = 'q: found a shape that does not fit mass'
        if (any(q_shape(2:4) /= shape(mass))) return
        message = 'tables: found sizes that do not fit the grid'
        if (any(shape(edge_weights) /= [4, size(mass, 2) + 1]) .or. size(smoothing) /= size(mass, 2)) return
        status = status_ok
        message = ''
    end subroutine check_horizontal

    !> Do the arrays of a column step fit each other?
    subroutine check_columns(mass, mass_end, exchange, updraft, basis, c_shape, q_shape, status, message)
        real(dp), intent(in) :: mass(:, :, :), mass_end(:, :, :), exchange(:, :, :), updraft(:, :, :), basis(:, :, :)
        integer, intent(in) :: c_shape(:), q_shape(:)
        integer, intent(out) :: status
        character(len=*), intent(out) :: message

        status = status_bad_shape
        message = 'mass_end: found a shape that differs from mass'
        if (any(shape(mass_end) /= shape(mass))) return
        message = 'exchange, updraft: found a shape that is not (n_lon, n_lev, n_lat)'
        if (any([size(exchange, 1), size(exchange, 3), size(exchange, 2)] /= shape(mass))) return
        if (any(shape(exchange) /= shape(updraft))) return
        message = 'q: found a shape that does not fit mass'
        if (any(q_shape(2:4) /= shape(mass))) return
        message = 'basis, coefficients: found shapes that do not fit each other, q or the grid'
        if (any([size(basis, 1), size(basis, 2)] /= q_shape(2:3))) return
        if (any(c_shape /= [q_shape(1:3), size(basis, 3), q_shape(5)])) return
        status = status_ok
        message = ''
    end subroutine check_columns
end module gcas_transport_face
