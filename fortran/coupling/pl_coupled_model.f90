!> Land columns over the distributed subsurface: what belongs to neither of them.
module pl_coupled_model
   use pl_chunk, only: chunk_count
   use pl_column_model, only: column_model_type
   use pl_column_work, only: column_work_type
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_field_table, only: role_state
   use pl_flow_model, only: flow_model_type
   use pl_kinds, only: rk
   use pl_land_chunk, only: surface_soil
   use pl_layer_overlap, only: find_overlap, layer_overlap_type
   implicit none (type, external)
   private
   public :: coupled_model_type, create_coupled_model

   !> One pairing; columns of the land are cell + ncell*(member - 1).
   type :: coupled_model_type
      integer :: ncell = 0                                !! cells of this rank [1]
      integer, allocatable :: x(:), y(:)                  !! column of the subsurface of each cell
      type(layer_overlap_type) :: overlap
      type(column_work_type), allocatable :: work(:)      !! between the phases of a step, one per chunk
      real(rk), allocatable :: root_uptake(:, :)          !! demand (ncolumn, layer) [kg m-2 s-1]
      real(rk), allocatable :: surface_input(:)           !! to the ground, less soil evaporation (ncolumn) [kg m-2 s-1]
      real(rk), allocatable :: unmet_transpiration(:)     !! (ncolumn) [kg m-2 s-1]
      real(rk), allocatable :: unmet_evaporation(:)       !! (ncolumn) [kg m-2 s-1]
      real(rk), allocatable :: infiltration(:)            !! (ncolumn) [kg m-2 s-1]
      real(rk), allocatable :: surface_runoff(:)          !! (ncolumn) [kg m-2 s-1]
      real(rk), allocatable :: pond_before(:)             !! (ncell) of the member at work [kg m-2]
      real(rk), allocatable :: surplus(:, :, :, :)        !! (nx, nz, ny, member) see pl_flow_water; without ice one value [m]
   end type coupled_model_type

contains

   !> Pair columns with a subsurface that has the same cells and members.
   subroutine create_coupled_model(coupled, land, flow, x, y, thickness, error)
      type(coupled_model_type), intent(inout) :: coupled
      type(column_model_type), target, intent(inout) :: land
      type(flow_model_type), intent(in) :: flow
      integer, intent(in) :: x(:), y(:)        !! column of the subsurface of each cell, from 1
      real(rk), intent(in) :: thickness(:)     !! soil layers of the land [m]
      type(error_type), allocatable, intent(out) :: error !! sizes do not fit, not enough memory
      integer :: n, stat
      if (land%ncolumn /= size(x)*flow%nmember .or. size(x) /= size(y) .or. size(thickness) /= land%nlayer) then
         call raise_error(error, error_input, "coupling: columns must be cells times members of the subsurface")
         return
      else if (any(x < 1) .or. any(x > flow%nx) .or. any(y < 1) .or. any(y > flow%ny)) then
         call raise_error(error, error_input, "coupling: a cell lies outside the subsurface")
         return
      else if (land%land_options%surface_kind /= surface_soil) then
         call raise_error(error, error_input, "coupling: only soil lies over the distributed subsurface")
         return
      end if
      call find_overlap(thickness, flow%dz, coupled%overlap, error)
      if (allocated(error)) return
      call land%table%create(land%piece_ice, "piece_ice", role_state, coupled%overlap%count, 0.0_rk, error)
      if (allocated(error)) return
      n = land%ncolumn
      coupled%ncell = size(x)
      coupled%x = x
      coupled%y = y
      ! allow(C182): one message stands for all of them
      allocate (coupled%work(chunk_count(n)), coupled%root_uptake(n, land%nlayer), coupled%surface_input(n), &
                coupled%unmet_transpiration(n), coupled%unmet_evaporation(n), coupled%infiltration(n), &
                coupled%surface_runoff(n), coupled%pond_before(size(x)), coupled%surplus(1, 1, 1, 1), stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory to couple land and subsurface; use fewer columns per rank")
         return
      end if
      land%is_coupled = .true.
   end subroutine create_coupled_model

end module pl_coupled_model
