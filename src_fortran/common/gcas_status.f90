!> The status table: what every routine of GCAS returns, the same everywhere.
!>
!> A routine sets `status` and, unless all went well, a `message` that names the argument, what was found and what
!> was expected. Nothing in the core stops or prints: the Python facade turns a status into an exception.
!> The values are part of the interface: new ones are added at the end.
module gcas_status
    implicit none (type, external)
    private

    public :: status_ok, status_bad_shape, status_not_finite, status_bad_value, status_no_spread, status_singular
    public :: status_cfl, status_mass, status_no_convergence, status_no_memory, status_overflow

    integer, parameter :: status_ok = 0             !! all went well
    integer, parameter :: status_bad_shape = 1      !! array sizes do not agree with each other or with the settings
    integer, parameter :: status_not_finite = 2     !! NaN or infinity in an input
    integer, parameter :: status_bad_value = 3      !! an argument outside its range (such as a variance <= 0)
    integer, parameter :: status_no_spread = 4      !! no ensemble spread anywhere: nothing can be updated
    integer, parameter :: status_singular = 5       !! a matrix that must be inverted is singular or not positive definite
    integer, parameter :: status_cfl = 6            !! the winds leave no stable time step within the allowed substeps
    integer, parameter :: status_mass = 7           !! air or tracer mass not conserved, or not positive
    integer, parameter :: status_no_convergence = 8 !! an iteration did not converge
    integer, parameter :: status_no_memory = 9      !! work space could not be allocated
    integer, parameter :: status_overflow = 10      !! results left the range of numbers
end module gcas_status
