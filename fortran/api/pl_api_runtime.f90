!> Facade: how the core was built, and its threads.
module pl_api_runtime
   use, intrinsic :: iso_fortran_env, only: compiler_options, compiler_version
   use, intrinsic :: omp_lib, only: omp_get_max_threads, omp_set_num_threads
   use pl_build_info, only: has_mpi, has_openmp
   use pl_chunk, only: chunk_width
   implicit none (type, external)
   private
   public :: runtime_get_threads, runtime_info, runtime_set_threads

contains

   !> Compiler, flags and features of this build.
   subroutine runtime_info(compiler, flags, with_mpi, with_openmp, width)
      character(len=128), intent(out) :: compiler !! name and version
      character(len=4096), intent(out) :: flags   !! compiler flags of the core
      logical, intent(out) :: with_mpi            !! built with MPI
      logical, intent(out) :: with_openmp         !! built with OpenMP
      integer, intent(out) :: width               !! columns per chunk [1]
      character(len=:), allocatable :: text
      text = compiler_version()
      compiler = text(:min(len(text), len(compiler)))
      text = compiler_options()
      flags = text(:min(len(text), len(flags)))
      with_mpi = has_mpi
      with_openmp = has_openmp
      width = chunk_width
   end subroutine runtime_info

   !> Threads that the next parallel region will use.
   subroutine runtime_get_threads(nthread)
      integer, intent(out) :: nthread !! number of threads [1]
      nthread = omp_get_max_threads()
   end subroutine runtime_get_threads

   !> Set the threads of this process.
   subroutine runtime_set_threads(nthread)
      integer, intent(in) :: nthread !! number of threads, at least 1 [1]
      call omp_set_num_threads(max(nthread, 1))
   end subroutine runtime_set_threads

end module pl_api_runtime
