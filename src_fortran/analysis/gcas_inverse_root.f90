!> The inverse square root of a positive definite matrix as a sum of simple poles.
!>
!> On 1 <= a <= kappa: a**(-1/2) = sum of coefficient/(shift + a), the trapezoidal rule in elliptic coordinates of Hale, Higham
!> & Trefethen (2008), method 3, with shifts and coefficients all positive. n poles err by exp(-2 pi**2 n/(ln kappa + 3)).
module gcas_inverse_root
    use gcas_constants, only: pi
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: pole_table, max_poles

    integer, parameter :: n_ranges = 30           !! kappa = 4, 16, …, 4**n_ranges
    integer, parameter :: max_poles = 88          !! of the widest range
    real(dp), parameter :: log_accuracy = 37.0_dp !! -ln of the relative error

    type :: pole_table
        integer :: n_made = 0                           !! ranges that are filled in
        integer :: n(n_ranges)                          !! poles by range
        real(dp) :: shift(max_poles, n_ranges)
        real(dp) :: coefficient(max_poles, n_ranges)
    contains
        procedure :: make
        procedure :: range_of
    end type pole_table

contains

    !> Fill the table, up to the range that holds eigenvalues from 1 to `largest`: the widest ones take longer than a small analysis.
    pure subroutine make(self, largest)
        class(pole_table), intent(inout) :: self
        real(dp), intent(in) :: largest !! bound of the eigenvalues
        real(dp) :: kappa
        integer :: i

        kappa = 1
        do i = 1, n_ranges
            kappa = 4.0_dp*kappa
            self%n(i) = ceiling((log(kappa) + 3.0_dp)*log_accuracy/(2.0_dp*pi**2))
            call make_range(kappa, self%n(i), self%shift(:, i), self%coefficient(:, i))
            self%n_made = i
            if (largest <= kappa) exit
        end do
    end subroutine make

    !> The range that holds matrices with eigenvalues from 1 to `largest`; the widest one that is filled in if none does.
    pure integer function range_of(self, largest) result(number)
        class(pole_table), intent(in) :: self
        real(dp), intent(in) :: largest !! bound of the eigenvalues
        real(dp) :: kappa

        number = 1
        kappa = 4
        do while (kappa < largest .and. number < self%n_made)
            number = number + 1
            kappa = 4.0_dp*kappa
        end do
    end function range_of

    !> Poles of one range. The upper half follows from the lower one by sc(K - u) = 1/(k sc(u)), without loss of digits.
    pure subroutine make_range(kappa, n, shift, coefficient)
        real(dp), intent(in) :: kappa          !! upper end of the range
        integer, intent(in) :: n               !! poles
        real(dp), intent(out) :: shift(:)
        real(dp), intent(out) :: coefficient(:)
        real(dp) :: cn, dn, factor, modulus, quarter_period, sn
        integer :: j

        shift = 0
        coefficient = 0
        modulus = 1.0_dp/sqrt(kappa)
        do j = 1, (n + 1)/2
            call elliptic_functions(modulus, (j - 0.5_dp)/n, quarter_period, sn, cn, dn)
            factor = 2.0_dp*quarter_period/(pi*n)
            shift(j) = (sn/cn)**2
            coefficient(j) = factor*dn/cn**2
            shift(n + 1 - j) = kappa/shift(j)
            coefficient(n + 1 - j) = factor*dn/(modulus*sn**2)
        end do
    end subroutine make_range

    !> Jacobi's functions at a share of the quarter period, by the arithmetic-geometric mean (Abramowitz & Stegun, 16.4).
    pure subroutine elliptic_functions(modulus, share, quarter_period, sn, cn, dn)
        real(dp), intent(in) :: modulus         !! complementary modulus, in (0, 1)
        real(dp), intent(in) :: share           !! argument over the quarter period
        real(dp), intent(out) :: quarter_period
        real(dp), intent(out) :: sn, cn, dn
        integer, parameter :: max_means = 12
        real(dp) :: a(0:max_means), b, c(0:max_means), phi
        integer :: i, last

        a(0) = 1
        b = modulus
        last = 0
        do i = 1, max_means
            c(i) = 0.5_dp*(a(i - 1) - b)
            a(i) = 0.5_dp*(a(i - 1) + b)
            b = sqrt(a(i - 1)*b)
            last = i
            if (c(i) <= 1.0e-17_dp) exit
        end do
        quarter_period = 0.5_dp*pi/a(last)
        phi = 2.0_dp**last*0.5_dp*pi*share
        do i = last, 1, -1
            phi = 0.5_dp*(phi + asin(min(c(i)/a(i), 1.0_dp)*sin(phi)))
        end do
        sn = sin(phi)
        cn = cos(phi)
        dn = sqrt(cn**2 + (modulus*sn)**2)
    end subroutine elliptic_functions
end module gcas_inverse_root
