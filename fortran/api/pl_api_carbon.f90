!> Facade: carbon and irrigation of single columns, process by process, for tests and for experiments.
!>
!> Arrays are (ncolumn, n). Inputs of one subject come packed; the order of a pack is written at its argument and
!> repeated in pyland/core/carbon.py.
module pl_api_carbon
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_carbon_respiration, only: maintenance_factor, maintenance_respiration, split_respiration
   use pl_chunk, only: chunk_count, chunk_width, first_column, lane_source, last_column
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_irrigation, only: apply_irrigation, irrigation_deficit, irrigation_patch_type
   use pl_kinds, only: rk
   use pl_soil_carbon, only: decomposition_factor, equilibrium_pools, npool, pool_respiration, soil_carbon_step
   implicit none (type, external)
   private
   public :: carbon_decomposition_factor, carbon_equilibrium, carbon_irrigate, carbon_pool_respiration
   public :: carbon_pool_step, carbon_respiration

contains

   !> Respiration of plants.
   subroutine carbon_respiration(plants, roots, temperature, results, ierr, errmsg)
      real(rk), intent(in) :: plants(:, :)       !! gross production, leaf respiration [kg m-2 s-1], stem and root
                                                 !! nitrogen [kg m-2], air temperature [K]
      real(rk), intent(in) :: roots(:, :)        !! share of the roots per layer [1]
      real(rk), intent(in) :: temperature(:, :)  !! of the layers [K]
      real(rk), intent(inout) :: results(:, :)   !! maintenance of stems and roots, growth, all plant respiration [kg m-2 s-1]
      integer, intent(out) :: ierr               !! 0 or an error code
      character(len=512), intent(out) :: errmsg  !! sentence that belongs to the code
      type(error_type), allocatable :: error
      real(rk), dimension(chunk_width, size(roots, 2)) :: layer_factor, share
      real(rk), dimension(chunk_width) :: air, soil, stem_root, growth, total
      integer :: source(chunk_width), chunk, count, first, k, last, n, nlayer
      n = size(plants, 1)
      nlayer = size(roots, 2)
      call check_pack(plants, n, 5, "plants", error)
      call check_pack(roots, n, nlayer, "roots", error)
      call check_pack(temperature, n, nlayer, "temperature", error)
      call check_pack(results, n, 3, "results", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(n)
         call find_lanes(chunk, n, source, first, last, count)
         call maintenance_factor(plants(source, 5), air)
         do k = 1, nlayer
            call maintenance_factor(temperature(source, k), soil)
            layer_factor(:, k) = soil
            share(:, k) = roots(source, k)
         end do
         call maintenance_respiration(nlayer, plants(source, 3), plants(source, 4), share, air, layer_factor, stem_root)
         call split_respiration(plants(source, 1), plants(source, 2), stem_root, growth, total)
         results(first:last, 1) = stem_root(:count)
         results(first:last, 2) = growth(:count)
         results(first:last, 3) = total(:count)
      end do
   end subroutine carbon_respiration

   !> Control of decay by temperature and water.
   subroutine carbon_decomposition_factor(thickness, temperature, head, results, ierr, errmsg)
      real(rk), intent(in) :: thickness(:, :)   !! of the layers [m]
      real(rk), intent(in) :: temperature(:, :) !! of the layers [K]
      real(rk), intent(in) :: head(:, :)        !! pressure head of the layers [m]
      real(rk), intent(inout) :: results(:, :)  !! (ncolumn, 1) [1]
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      real(rk) :: factor(chunk_width)
      integer :: source(chunk_width), chunk, count, first, last, n, nlayer
      n = size(thickness, 1)
      nlayer = size(thickness, 2)
      call check_pack(thickness, n, nlayer, "thickness", error)
      call check_pack(temperature, n, nlayer, "temperature", error)
      call check_pack(head, n, nlayer, "head", error)
      call check_pack(results, n, 1, "results", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(n)
         call find_lanes(chunk, n, source, first, last, count)
         call decomposition_factor(nlayer, thickness(source, :), temperature(source, :), head(source, :), factor)
         results(first:last, 1) = factor(:count)
      end do
   end subroutine carbon_decomposition_factor

   !> One implicit step of litter and soil.
   subroutine carbon_pool_step(dt, climate, pools, results, ierr, errmsg)
      real(rk), intent(in) :: dt                !! time step [s]
      real(rk), intent(in) :: climate(:, :)     !! sand [%], control of decay [1], litterfall [kg m-2 s-1]
      real(rk), intent(inout) :: pools(:, :)    !! litter 1 to 3, soil 1 to 3 [kg m-2]
      real(rk), intent(inout) :: results(:, :)  !! respiration (ncolumn, 1) [kg m-2 s-1]
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      real(rk) :: lanes(chunk_width, npool), respired(chunk_width)
      integer :: source(chunk_width), chunk, count, first, last, n
      n = size(climate, 1)
      call check_pack(climate, n, 3, "climate", error)
      call check_pack(pools, n, npool, "pools", error)
      call check_pack(results, n, 1, "results", error)
      call check_step(dt, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(n)
         call find_lanes(chunk, n, source, first, last, count)
         lanes = pools(source, :)
         call soil_carbon_step(dt, climate(source, 1), climate(source, 2), climate(source, 3), lanes, respired)
         pools(first:last, :) = lanes(:count, :)
         results(first:last, 1) = respired(:count)
      end do
   end subroutine carbon_pool_step

   !> Respiration of pools that stay as they are.
   subroutine carbon_pool_respiration(climate, pools, results, ierr, errmsg)
      real(rk), intent(in) :: climate(:, :)     !! sand [%], control of decay [1]
      real(rk), intent(in) :: pools(:, :)       !! litter 1 to 3, soil 1 to 3 [kg m-2]
      real(rk), intent(inout) :: results(:, :)  !! respiration (ncolumn, 1) [kg m-2 s-1]
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      real(rk) :: respired(chunk_width)
      integer :: source(chunk_width), chunk, count, first, last, n
      n = size(climate, 1)
      call check_pack(climate, n, 2, "climate", error)
      call check_pack(pools, n, npool, "pools", error)
      call check_pack(results, n, 1, "results", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(n)
         call find_lanes(chunk, n, source, first, last, count)
         call pool_respiration(climate(source, 1), climate(source, 2), pools(source, :), respired)
         results(first:last, 1) = respired(:count)
      end do
   end subroutine carbon_pool_respiration

   !> Pools in equilibrium with a mean climate.
   subroutine carbon_equilibrium(climate, results, ierr, errmsg)
      real(rk), intent(in) :: climate(:, :)     !! sand [%], control of decay [1], litterfall [kg m-2 s-1], means
      real(rk), intent(inout) :: results(:, :)  !! litter 1 to 3, soil 1 to 3 [kg m-2]
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      real(rk) :: pools(chunk_width, npool)
      integer :: source(chunk_width), chunk, count, first, last, n
      n = size(climate, 1)
      call check_pack(climate, n, 3, "climate", error)
      call check_pack(results, n, npool, "results", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(n)
         call find_lanes(chunk, n, source, first, last, count)
         call equilibrium_pools(climate(source, 1), climate(source, 2), climate(source, 3), pools)
         results(first:last, :) = pools(:count, :)
      end do
   end subroutine carbon_equilibrium

   !> Irrigation of one step.
   subroutine carbon_irrigate(dt, settings, thickness, water, wilting, target_water, temperature, store, results, ierr, errmsg)
      real(rk), intent(in) :: dt                 !! time step [s]
      real(rk), intent(in) :: settings(:, :)     !! method, by deficit (1 or 0), threshold [1], depth [m], duration [s], supply
                                                 !! [kg m-2 s-1], start (1 or 0), leaf area [m2 m-2]
      real(rk), intent(in) :: thickness(:, :)    !! of the layers [m]
      real(rk), intent(in) :: water(:, :)        !! of the layers [m3 m-3]
      real(rk), intent(in) :: wilting(:, :)      !! wilting point of the layers [m3 m-3]
      real(rk), intent(in) :: target_water(:, :) !! [m3 m-3]
      real(rk), intent(in) :: temperature(:, :)  !! of the layers [K]
      real(rk), intent(inout) :: store(:, :)     !! still to be applied [kg m-2], rate of the application [kg m-2 s-1]
      real(rk), intent(inout) :: results(:, :)   !! deficit [kg m-2], above the canopy, on the ground [kg m-2 s-1]
      integer, intent(out) :: ierr               !! 0 or an error code
      character(len=512), intent(out) :: errmsg  !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(irrigation_patch_type) :: patch
      real(rk), dimension(chunk_width) :: deficit, above, ground
      integer :: source(chunk_width), chunk, count, first, last, n, nlayer
      n = size(settings, 1)
      nlayer = size(thickness, 2)
      call check_pack(settings, n, 8, "settings", error)
      call check_pack(thickness, n, nlayer, "thickness", error)
      call check_pack(water, n, nlayer, "water", error)
      call check_pack(wilting, n, nlayer, "wilting", error)
      call check_pack(target_water, n, nlayer, "target_water", error)
      call check_pack(temperature, n, nlayer, "temperature", error)
      call check_pack(store, n, 2, "store", error)
      call check_pack(results, n, 3, "results", error)
      call check_step(dt, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(n)
         call find_lanes(chunk, n, source, first, last, count)
         patch%method = nint(settings(source, 1))
         patch%is_by_deficit = settings(source, 2) > 0.5_rk
         patch%threshold = settings(source, 3)
         patch%depth = settings(source, 4)
         patch%duration = settings(source, 5)
         patch%supply = settings(source, 6)
         patch%is_start = settings(source, 7) > 0.5_rk
         patch%remaining = store(source, 1)
         patch%rate = store(source, 2)
         call irrigation_deficit(nlayer, thickness(source, :), water(source, :), wilting(source, :), target_water(source, :), &
                                 temperature(source, :), patch%depth, patch%threshold, deficit)
         call apply_irrigation(dt, settings(source, 8), deficit, patch, above, ground)
         store(first:last, 1) = patch%remaining(:count)
         store(first:last, 2) = patch%rate(:count)
         results(first:last, 1) = deficit(:count)
         results(first:last, 2) = above(:count)
         results(first:last, 3) = ground(:count)
      end do
   end subroutine carbon_irrigate

   !> Columns that a chunk reads and those that it writes.
   pure subroutine find_lanes(chunk, ncolumn, source, first, last, count)
      integer, intent(in) :: chunk                !! chunk index, from 1
      integer, intent(in) :: ncolumn              !! number of columns [1]
      integer, intent(out) :: source(chunk_width) !! column of each lane
      integer, intent(out) :: first               !! first column of the chunk
      integer, intent(out) :: last                !! last column of the chunk
      integer, intent(out) :: count               !! valid lanes
      integer :: i
      do i = 1, chunk_width
         source(i) = lane_source(chunk, i, ncolumn)
      end do
      first = first_column(chunk)
      last = last_column(chunk, ncolumn)
      count = last - first + 1
   end subroutine find_lanes

   !> Record an error, unless there is one already, where a pack has another shape or a value that is no number.
   pure subroutine check_pack(pack, ncolumn, n, name, error)
      real(rk), intent(in) :: pack(:, :)   !! argument to check
      integer, intent(in) :: ncolumn       !! columns expected, at least 1 [1]
      integer, intent(in) :: n             !! second extent expected, at least 1 [1]
      character(len=*), intent(in) :: name !! name of the argument
      type(error_type), allocatable, intent(inout) :: error
      character(len=80) :: text
      if (allocated(error)) return
      if (size(pack, 1) /= ncolumn .or. size(pack, 2) /= n .or. ncolumn < 1 .or. n < 1) then
         write (text, "(4(a, i0))") ": expected ", ncolumn, " x ", n, ", got ", size(pack, 1), " x ", size(pack, 2)
         call raise_error(error, error_input, name//trim(text)//" (columns x values); pass one value per column")
      else if (.not. all(ieee_is_finite(pack))) then
         call raise_error(error, error_input, name//" holds a value that is not finite; fill the gaps of the input")
      end if
   end subroutine check_pack

   !> Record an error, unless there is one already, where the time step is not positive.
   pure subroutine check_step(dt, error)
      real(rk), intent(in) :: dt !! time step [s]
      type(error_type), allocatable, intent(inout) :: error
      if (allocated(error)) return
      if (.not. (dt > 0.0_rk .and. ieee_is_finite(dt))) then
         call raise_error(error, error_input, "the time step must be a positive number of seconds")
      end if
   end subroutine check_step

end module pl_api_carbon
