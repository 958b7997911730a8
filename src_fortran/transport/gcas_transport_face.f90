!> What Python sees of the transport model. Flat arrays in, status and message out; sizes are tested here.
module gcas_transport_face
    use omp_lib, only: omp_get_max_threads
    implicit none (type, external)
    private

    public :: openmp_threads

contains

    !> Number of threads that the next parallel region will use.
    subroutine openmp_threads(n_threads)
        integer, intent(out) :: n_threads !! threads [1]

        n_threads = omp_get_max_threads()
    end subroutine openmp_threads
end module gcas_transport_face
