!> Constant geometry of a longitude-latitude grid for transport: computed once for a grid.
!>
!> Rows 1 and n_lat are polar caps: each is one well-mixed cell. Along a meridian a cap counts as one cell that lies
!> across the pole, followed by the rows of the opposite meridian ("ghost" rows 0, -1 and n_lat + 1, n_lat + 2).
module gcas_transport_geometry
    use gcas_constants, only: pi, radians_per_degree
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: meridional_edge_weights, polar_smoothing, fixer_tables

    real(dp), parameter :: strongest_smoothing = 1.0_dp/64.0_dp !! of the fourth difference in a step: 1/4 of the shortest wave [1]
    real(dp), parameter :: smoothed_aspect = 0.3_dp             !! width over height below which rows are smoothed [1]
    integer, parameter :: n_gauss = 5
    real(dp), parameter :: gauss_node(n_gauss) = [-0.906179845938663993_dp, -0.538469310105683091_dp, 0.0_dp, &
                                                  0.538469310105683091_dp, 0.906179845938663993_dp]
    real(dp), parameter :: gauss_weight(n_gauss) = [0.236926885056189088_dp, 0.478628670499366468_dp, &
                                                    0.568888888888888889_dp, 0.478628670499366468_dp, &
                                                    0.236926885056189088_dp]

contains

    !> Weights that give the value at a row's southern edge from the means of the four nearest rows, exact for cubic
    !> polynomials in latitude with cell means taken over area; the spherical form of Colella & Woodward (1984), eq. 1.6.
    subroutine meridional_edge_weights(lat_edges, weights)
        real(dp), intent(in) :: lat_edges(:)   !! row edges, south to north (n_lat+1) [degree]
        real(dp), intent(out) :: weights(:, :) !! weight of rows j-2 … j+1 for edge j (4, n_lat+1) [1]
        real(dp) :: moments(4, 4), face, scale
        integer :: n_lat, j, c

        n_lat = size(lat_edges) - 1
        do j = 2, n_lat
            face = lat_edges(j)*radians_per_degree
            scale = (lat_edges(j + 1) - lat_edges(j - 1))*radians_per_degree
            do c = 1, 4
                moments(:, c) = row_moments(lat_edges, j + c - 3, face, scale)
            end do
            weights(:, j) = solve_four(moments)
        end do
        ! The far edge of a cap's crossing cell is the near edge seen from the opposite meridian.
        weights(:, 1) = weights(4:1:-1, 2)
        weights(:, n_lat + 1) = weights(4:1:-1, n_lat)
    end subroutine meridional_edge_weights

    !> Area-weighted means over a row of the powers 0 … 3 of (latitude - face)/scale; rows beyond a pole are unfolded.
    pure function row_moments(lat_edges, row, face, scale) result(moments)
        real(dp), intent(in) :: lat_edges(:) !! row edges (n_lat+1) [degree]
        integer, intent(in) :: row           !! -1 … n_lat+2 [1]
        real(dp), intent(in) :: face         !! origin of the powers [rad]
        real(dp), intent(in) :: scale        !! unit of the powers [rad]
        real(dp) :: moments(4)               !! [1]
        real(dp) :: edges(3), lat, weight, total
        integer :: n_lat, part, g, p

        n_lat = size(lat_edges) - 1
        if (row < 1) then
            edges = -pi - lat_edges([3 - row, 3 - row, 2 - row])*radians_per_degree
        else if (row > n_lat) then
            edges = pi - lat_edges([2*n_lat + 1 - row, 2*n_lat + 1 - row, 2*n_lat - row])*radians_per_degree
        else if (row == 1) then
            edges = [-pi - lat_edges(2)*radians_per_degree, -0.5_dp*pi, lat_edges(2)*radians_per_degree]
        else if (row == n_lat) then
            edges = [lat_edges(n_lat)*radians_per_degree, 0.5_dp*pi, pi - lat_edges(n_lat)*radians_per_degree]
        else
            edges = lat_edges([row, row, row + 1])*radians_per_degree
        end if
        moments = 0.0_dp
        total = 0.0_dp
        do part = 1, 2
            do g = 1, n_gauss
                lat = 0.5_dp*(edges(part) + edges(part + 1) + (edges(part + 1) - edges(part))*gauss_node(g))
                weight = gauss_weight(g)*(edges(part + 1) - edges(part))*abs(cos(lat))
                total = total + weight
                do p = 0, 3
                    moments(p + 1) = moments(p + 1) + weight*((lat - face)/scale)**p
                end do
            end do
        end do
        moments = moments/total
    end function row_moments

    !> Solve moments · w = (1, 0, 0, 0) by Gauss elimination with row pivoting.
    pure function solve_four(moments) result(w)
        real(dp), intent(in) :: moments(4, 4) !! power by row [1]
        real(dp) :: w(4)                      !! weights [1]
        real(dp) :: a(4, 5), row(5)
        integer :: i, k, pivot

        a(:, 1:4) = moments
        a(:, 5) = [1.0_dp, 0.0_dp, 0.0_dp, 0.0_dp]
        do k = 1, 4
            pivot = k - 1 + maxloc(abs(a(k:, k)), 1)
            row = a(k, :)
            a(k, :) = a(pivot, :)
            a(pivot, :) = row
            do i = k + 1, 4
                a(i, :) = a(i, :) - a(k, :)*(a(i, k)/a(k, k))
            end do
        end do
        do k = 4, 1, -1
            w(k) = (a(k, 5) - dot_product(a(k, k + 1:4), w(k + 1:4)))/a(k, k)
        end do
        w = w/sum(w)
    end function solve_four

    !> Fourth-order smoothing along rows whose cells are far narrower than high. There the unlimited scheme has next to no
    !> dissipation of the shortest zonal waves (Courant numbers are small), and the wind's stretching would feed them.
    subroutine polar_smoothing(n_lon, lat_edges, smoothing)
        integer, intent(in) :: n_lon              !! longitudes [1]
        real(dp), intent(in) :: lat_edges(:)      !! row edges (n_lat+1) [degree]
        real(dp), intent(out) :: smoothing(:)     !! share of the fourth difference taken off in a step (n_lat) [1]
        real(dp) :: aspect
        integer :: j

        do j = 1, size(smoothing)
            aspect = cos(0.5_dp*(lat_edges(j) + lat_edges(j + 1))*radians_per_degree)*360.0_dp &
                     /(n_lon*(lat_edges(j + 1) - lat_edges(j)))
            smoothing(j) = strongest_smoothing*max(0.0_dp, 1.0_dp - aspect/smoothed_aspect)
        end do
    end subroutine polar_smoothing

    !> Tables of the pressure fixer's Poisson problem: an orthonormal real Fourier basis in longitude, the metric
    !> factors of the two flux components, and the factorised tridiagonal operator of every zonal wavenumber.
    subroutine fixer_tables(n_lon, lat_edges, basis, zonal_factor, meridional_factor, pivots)
        integer, intent(in) :: n_lon                    !! longitudes [1]
        real(dp), intent(in) :: lat_edges(:)            !! row edges (n_lat+1) [degree]
        real(dp), intent(out) :: basis(:, :)            !! value at longitude, of function (n_lon, n_lon) [1]
        real(dp), intent(out) :: zonal_factor(:)        !! height over width of a row's cells (n_lat) [1]
        real(dp), intent(out) :: meridional_factor(:)   !! width over height at a row's southern edge (n_lat+1) [1]
        real(dp), intent(out) :: pivots(:, :)           !! inverse pivots, function by row (n_lon, n_lat) [1]
        real(dp) :: width, eigenvalue(n_lon), centre, next
        integer :: n_lat, i, j, m

        n_lat = size(lat_edges) - 1
        width = 2.0_dp*pi/n_lon
        basis(:, 1) = 1.0_dp/sqrt(real(n_lon, dp))
        eigenvalue(1) = 0.0_dp
        do m = 2, n_lon
            eigenvalue(m) = 2.0_dp - 2.0_dp*cos((m/2)*width)
            do i = 1, n_lon
                if (mod(m, 2) == 0) then
                    basis(i, m) = cos(mod((m/2)*(i - 1), n_lon)*width)
                else
                    basis(i, m) = sin(mod((m/2)*(i - 1), n_lon)*width)
                end if
            end do
            basis(:, m) = basis(:, m)/sqrt(sum(basis(:, m)**2))
        end do
        zonal_factor = 0.0_dp
        meridional_factor = 0.0_dp
        do j = 2, n_lat - 1
            zonal_factor(j) = ((lat_edges(j + 1) - lat_edges(j))*radians_per_degree)**2 &
                              /(width*(sin(lat_edges(j + 1)*radians_per_degree) - sin(lat_edges(j)*radians_per_degree)))
        end do
        do j = 2, n_lat
            centre = merge(-90.0_dp, 0.5_dp*(lat_edges(j - 1) + lat_edges(j)), j == 2)
            next = merge(90.0_dp, 0.5_dp*(lat_edges(j) + lat_edges(j + 1)), j == n_lat)
            meridional_factor(j) = cos(lat_edges(j)*radians_per_degree)*width/((next - centre)*radians_per_degree)
        end do
        pivots = 0.0_dp
        do j = 2, n_lat - 1
            pivots(:, j) = 1.0_dp/(zonal_factor(j)*eigenvalue + meridional_factor(j) + meridional_factor(j + 1) &
                                   - meridional_factor(j)**2*pivots(:, j - 1))
        end do
    end subroutine fixer_tables
end module gcas_transport_geometry
