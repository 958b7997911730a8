!> Physical and mathematical constants.
module gcas_constants
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: pi, radians_per_degree, degrees_per_radian
    public :: earth_radius, gravity
    public :: avogadro, molar_mass_air, molar_mass_co2, molar_mass_carbon

    real(dp), parameter :: pi = 3.141592653589793238462643383279502884_dp
    real(dp), parameter :: radians_per_degree = pi/180.0_dp
    real(dp), parameter :: degrees_per_radian = 180.0_dp/pi

    real(dp), parameter :: earth_radius = 6.371229e6_dp    !! mean radius of the Earth [m]
    real(dp), parameter :: gravity = 9.80665_dp            !! standard acceleration of gravity [m s-2]

    real(dp), parameter :: avogadro = 6.02214076e23_dp     !! Avogadro constant, exact in the SI of 2019 [mol-1]
    real(dp), parameter :: molar_mass_air = 28.9644_dp     !! dry air, US Standard Atmosphere 1976 [g mol-1]
    real(dp), parameter :: molar_mass_co2 = 44.0095_dp     !! carbon dioxide [g mol-1]
    real(dp), parameter :: molar_mass_carbon = 12.011_dp   !! carbon [g mol-1]
end module gcas_constants
