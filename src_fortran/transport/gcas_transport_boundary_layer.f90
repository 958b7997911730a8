!> Turbulent diffusivity of one row of columns: heights, depth of the boundary layer, K-profile, free air.
!>
!> Non-local K-profile of Holtslag & Boville (1993), depth after Vogelezang & Holtslag (1996). Columns of a row stand side
!> by side, (n_lon, ...); layers from the top down. All per column: nothing depends on neighbours or threads.
module gcas_transport_boundary_layer
    use gcas_constants, only: gravity
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: row_air, allocate_air, highest_interface, row_heights, boundary_layer_depth, velocity_scales, diffusivity
    public :: gas_constant, heat_capacity

    real(dp), parameter :: reference_pressure = 1.0e5_dp   !! [Pa]
    real(dp), parameter :: gas_constant = 287.05_dp        !! of dry air [J kg-1 K-1]
    real(dp), parameter :: heat_capacity = 1004.64_dp      !! of dry air at constant pressure [J kg-1 K-1]
    real(dp), parameter :: karman = 0.4_dp                 !! von Karman constant [1]
    real(dp), parameter :: virtual = 0.608_dp              !! molar mass of dry air over that of water, less one [1]
    real(dp), parameter :: surface_layer = 0.1_dp          !! top of the surface layer as a share of the depth [1]
    real(dp), parameter :: critical_richardson = 0.3_dp    !! [1]
    real(dp), parameter :: friction_weight = 100.0_dp      !! of squared friction velocity among squared winds [1]
    real(dp), parameter :: excess_factor = 8.5_dp          !! of rising air's excess of temperature [1]
    real(dp), parameter :: mechanical_depth = 700.0_dp     !! least depth over friction velocity [s]
    real(dp), parameter :: greatest_depth = 6000.0_dp      !! [m]
    real(dp), parameter :: mixing_length = 30.0_dp         !! in free air [m]
    real(dp), parameter :: background = 1.0_dp             !! diffusivity near the ground of air otherwise at rest [m2 s-1]
    real(dp), parameter :: background_top = 0.2_dp         !! pressure over surface pressure where the background ends [1]

    !> What one row of columns is like; only layers from `top`-1 down are set.
    type :: row_air
        integer :: top = 2                              !! first interface with turbulence
        real(dp), allocatable :: pressure(:, :)         !! at interfaces (n_lon, n_lev+1) [Pa]
        real(dp), allocatable :: temperature(:, :)      !! virtual (n_lon, n_lev) [K]
        real(dp), allocatable :: middle(:, :)           !! height of mid-levels above ground (n_lon, n_lev) [m]
        real(dp), allocatable :: interface(:, :)        !! height of interfaces above ground (n_lon, n_lev+1) [m]
        real(dp), allocatable :: mixing(:)              !! turbulent velocity of the outer layer over Prandtl number (n_lon) [m s-1]
        real(dp), allocatable :: buoyancy(:)            !! surface flux of buoyancy (n_lon) [m2 s-3]
    end type row_air

contains

    !> Give a row its arrays.
    subroutine allocate_air(n_lon, n_lev, air)
        integer, intent(in) :: n_lon, n_lev
        type(row_air), intent(out) :: air

        allocate (air%pressure(n_lon, n_lev + 1), air%temperature(n_lon, n_lev))
        allocate (air%middle(n_lon, n_lev), air%interface(n_lon, n_lev + 1), air%mixing(n_lon), air%buoyancy(n_lon))
    end subroutine allocate_air

    !> The first interface, but the topmost, whose pressure is at least `pressure` where the ground is at 1000 hPa.
    pure function highest_interface(a_interface, b_interface, pressure) result(top)
        real(dp), intent(in) :: a_interface(:) !! (n_lev+1) [Pa]
        real(dp), intent(in) :: b_interface(:) !! (n_lev+1) [1]
        real(dp), intent(in) :: pressure       !! [Pa]
        integer :: top

        do top = 2, size(a_interface) - 2
            if (a_interface(top) + b_interface(top)*reference_pressure >= pressure) return
        end do
    end function highest_interface

    !> Pressures, virtual temperatures and hydrostatic heights above ground, from interface `air%top` down.
    pure subroutine row_heights(a_interface, b_interface, surface_pressure, temperature, humidity, air)
        real(dp), intent(in) :: a_interface(:)      !! (n_lev+1) [Pa]
        real(dp), intent(in) :: b_interface(:)      !! (n_lev+1) [1]
        real(dp), intent(in) :: surface_pressure(:) !! (n_lon) [Pa]
        real(dp), intent(in) :: temperature(:, :)   !! (n_lon, n_lev) [K]
        real(dp), intent(in) :: humidity(:, :)      !! (n_lon, n_lev) [kg kg-1]
        type(row_air), intent(inout) :: air         !! top in; pressure, temperature, heights out
        real(dp) :: scale, upper, lower
        integer :: i, k, n_lev

        n_lev = size(temperature, 2)
        air%interface(:, n_lev + 1) = 0.0_dp
        air%pressure(:, n_lev + 1) = a_interface(n_lev + 1) + b_interface(n_lev + 1)*surface_pressure
        do k = n_lev, air%top - 1, -1
            air%pressure(:, k) = a_interface(k) + b_interface(k)*surface_pressure
            do i = 1, size(surface_pressure)
                air%temperature(i, k) = temperature(i, k)*(1.0_dp + virtual*humidity(i, k))
                scale = air%temperature(i, k)*(gas_constant/gravity)
                upper = air%pressure(i, k)
                lower = air%pressure(i, k + 1)
                air%middle(i, k) = air%interface(i, k + 1) + scale*log_ratio(0.5_dp*(upper + lower), lower)
                air%interface(i, k) = air%interface(i, k + 1) + scale*log_ratio(upper, lower)
            end do
        end do
    end subroutine row_heights

    !> ln(lower/upper) for layers of a model: series of 2 artanh to the ninth order, 1e-6 for a ratio of two.
    elemental function log_ratio(upper, lower) result(logarithm)
        real(dp), intent(in) :: upper, lower !! pressures [Pa]
        real(dp) :: logarithm, x, s

        x = (lower - upper)/(lower + upper)
        s = x*x
        logarithm = 2.0_dp*x*(1.0_dp + s*(1.0_dp/3.0_dp + s*(0.2_dp + s*(1.0_dp/7.0_dp + s/9.0_dp))))
    end function log_ratio

    !> Depth where it is not given: the first height whose bulk Richardson number is critical; Vogelezang & Holtslag (1996),
    !> with the excess of rising air's temperature over unstable ground (Holtslag & Boville 1993); at least 700 s u*, the neutral
    !> depth 0.07 u*/f of Koracin & Berkowicz (1988) for f = 1e-4 s-1.
    pure subroutine boundary_layer_depth(air, u, v, friction, depth)
        type(row_air), intent(in) :: air      !! heights, temperature, buoyancy
        real(dp), intent(in) :: u(:, :)       !! (n_lon, n_lev) [m s-1]
        real(dp), intent(in) :: v(:, :)       !! (n_lon, n_lev) [m s-1]
        real(dp), intent(in) :: friction(:)   !! velocity (n_lon) [m s-1]
        real(dp), intent(inout) :: depth(:)   !! positive: kept; else diagnosed (n_lon) [m]
        real(dp) :: first, ground, scale
        integer :: i, n_lev

        n_lev = size(u, 2)
        do i = 1, size(depth)
            if (depth(i) > 0.0_dp) cycle
            ground = air%temperature(i, n_lev)
            first = critical_height(i, ground)
            if (air%buoyancy(i) > 0.0_dp) then
                scale = cube_root(friction(i)**3 + 15.0_dp*surface_layer*karman*air%buoyancy(i)*first)
                ground = ground + excess_factor*air%buoyancy(i)*ground/(gravity*scale)
                first = critical_height(i, ground)
            end if
            depth(i) = min(max(first, mechanical_depth*friction(i), air%middle(i, n_lev)), greatest_depth)
        end do

    contains

        !> Height [m] where Richardson's number, rising from zero at the lowest mid-level, is critical.
        pure function critical_height(i, ground) result(height)
            integer, intent(in) :: i
            real(dp), intent(in) :: ground !! virtual temperature of air that starts from the ground [K]
            real(dp) :: height, number, below, rise, wind
            integer :: k

            below = 0.0_dp
            height = air%middle(i, n_lev)
            do k = n_lev - 1, air%top, -1
                rise = air%middle(i, k) - air%middle(i, n_lev)
                wind = (u(i, k) - u(i, n_lev))**2 + (v(i, k) - v(i, n_lev))**2 + friction_weight*friction(i)**2
                number = gravity/ground*(air%temperature(i, k) + gravity/heat_capacity*rise - ground)*rise/wind
                if (number >= critical_richardson) then
                    height = air%middle(i, k + 1) &
                             + (air%middle(i, k) - air%middle(i, k + 1))*(critical_richardson - below)/(number - below)
                    return
                end if
                below = number
                height = air%middle(i, k)
            end do
        end function critical_height
    end subroutine boundary_layer_depth

    !> Surface flux of buoyancy, and the velocity of mixing in the outer layer of unstable columns: w_m/Pr, with
    !> w_m cubed = u* cubed + 0.6 w* cubed, Pr from the surface layer's top; Holtslag & Boville (1993).
    pure subroutine velocity_scales(friction, depth, air)
        real(dp), intent(in) :: friction(:)   !! velocity (n_lon) [m s-1]
        real(dp), intent(in) :: depth(:)      !! of the boundary layer (n_lon) [m]
        type(row_air), intent(inout) :: air   !! buoyancy in, mixing out
        real(dp) :: convective, scale, prandtl
        integer :: i

        air%mixing = 0.0_dp
        do i = 1, size(depth)
            if (air%buoyancy(i) <= 0.0_dp) cycle
            convective = cube_root(air%buoyancy(i)*depth(i))
            scale = cube_root(friction(i)**3 + 15.0_dp*surface_layer*karman*convective**3)
            prandtl = sqrt(friction(i)/scale) + 7.2_dp*karman*surface_layer*convective/scale
            air%mixing(i) = scale/prandtl
        end do
    end subroutine velocity_scales

    !> Diffusivity at one interface: the larger of the K-profile and of what shear, stratification and the background give.
    pure subroutine diffusivity(k, friction, depth, u, v, air, k_values)
        integer, intent(in) :: k               !! interface above layer k
        real(dp), intent(in) :: friction(:)    !! velocity (n_lon) [m s-1]
        real(dp), intent(in) :: depth(:)       !! of the boundary layer (n_lon) [m]
        real(dp), intent(in) :: u(:, :)        !! (n_lon, n_lev) [m s-1]
        real(dp), intent(in) :: v(:, :)        !! (n_lon, n_lev) [m s-1]
        type(row_air), intent(in) :: air       !! heights, temperature, buoyancy, mixing
        real(dp), intent(out) :: k_values(:)   !! (n_lon) [m2 s-1]
        real(dp) :: z, apart, shear, stability, number, free, rest, length, factor
        integer :: i, n_lev

        n_lev = size(u, 2)
        do i = 1, size(depth)
            z = air%interface(i, k)
            apart = air%middle(i, k - 1) - air%middle(i, k)
            shear = ((u(i, k - 1) - u(i, k))**2 + (v(i, k - 1) - v(i, k))**2)/apart**2
            stability = 2.0_dp*gravity/(air%temperature(i, k - 1) + air%temperature(i, k)) &
                        *((air%temperature(i, k - 1) - air%temperature(i, k))/apart + gravity/heat_capacity)
            length = karman*z*mixing_length/(karman*z + mixing_length)
            ! f(Ri) = 1/(1 + 10 Ri (1 + 8 Ri)), or sqrt(1 - 18 Ri) where unstable; shear and stability are squares.
            number = max(stability, 0.0_dp)/(shear + 1.0e-12_dp)
            factor = 1.0_dp/(1.0_dp + 10.0_dp*number*(1.0_dp + 8.0_dp*number))
            free = length**2*sqrt(shear + 18.0_dp*max(-stability, 0.0_dp))*factor
            rest = max(air%pressure(i, k)/air%pressure(i, n_lev + 1) - background_top, 0.0_dp)/(1.0_dp - background_top)
            k_values(i) = max(free, background*rest)
        end do
        do i = 1, size(depth)
            z = air%interface(i, k)
            if (z >= depth(i)) cycle
            k_values(i) = max(k_values(i), karman*z*(1.0_dp - z/depth(i))**2*turbulent_velocity(i, z))
        end do

    contains

        !> w_t at height z: u* over the dimensionless gradient in stable air and in the surface layer, else of the outer layer.
        pure function turbulent_velocity(i, z) result(velocity)
            integer, intent(in) :: i
            real(dp), intent(in) :: z !! height above ground, below the depth [m]
            real(dp) :: velocity, over_length

            if (air%buoyancy(i) > 0.0_dp) then
                velocity = air%mixing(i)
                if (z < surface_layer*depth(i)) velocity = min(velocity, friction(i) &
                    *sqrt(1.0_dp + 15.0_dp*karman*z*air%buoyancy(i)/friction(i)**3))
            else
                over_length = -karman*z*air%buoyancy(i)/friction(i)**3
                velocity = friction(i)/(min(over_length, 1.0_dp)*5.0_dp + max(over_length, 1.0_dp))
            end if
        end function turbulent_velocity
    end subroutine diffusivity

    !> Real root of a positive number.
    elemental function cube_root(x) result(root)
        real(dp), intent(in) :: x
        real(dp) :: root

        root = x**(1.0_dp/3.0_dp)
    end function cube_root
end module gcas_transport_boundary_layer
